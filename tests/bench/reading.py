"""What reading a file costs beside pyarrow's own reader of it: processor seconds, and peak memory over the array.

    python -m tests.bench.reading --out reading.json

Both take turns in one process, and medians count. Memory is that of a process of its own, which reads nothing else.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import torch

from skmm_core.bench.machine_facts import machine, measured
from skmm_core.data import load_dataset
from skmm_core.storage.writing import write_json

READERS: dict[str, Callable[[str], Any]] = {".csv": pa_csv.read_csv, ".parquet": pq.read_table}


def main() -> None:
    """Measure a wide csv file and a parquet file of one list column."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=1.0, help="Share of the rows; below 1 for a quick look.")
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), options.scale)
        rows = [{**measure(path, options.repeats), "peak_over_array": peak_over_array(path)} for path in files]
    write_json(options.out, {"bench": "reading", "machine": machine(torch.device("cpu")), "files": rows})


def write_files(folder: Path, scale: float) -> tuple[Path, Path]:
    """A csv file of 20,000 x 768 numbers and a parquet file of 200,000 lists of 512."""
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((round(20_000 * scale), 768), dtype=np.float32)
    table = pa.table({f"f{place}": column for place, column in enumerate(wide.T)})
    pa_csv.write_csv(table, folder / "wide.csv")
    lists = rng.standard_normal((round(200_000 * scale), 512), dtype=np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(lists.ravel(), 512).cast(pa.list_(pa.float32()))
    pq.write_table(pa.table({"embedding": vectors}), folder / "lists.parquet")
    return folder / "wide.csv", folder / "lists.parquet"


def measure(path: Path, repeats: int) -> dict[str, Any]:
    """Median processor seconds of pyarrow and of us, in turns after one of each that does not count."""
    runs = {"pyarrow": lambda: READERS[path.suffix](str(path)), "ours": lambda: load_dataset(str(path))}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            began = time.process_time()
            run()
            spent[name].append(time.process_time() - began)
    seconds = {name: statistics.median(found[1:]) for name, found in spent.items()}
    return {"file": path.name, "seconds": seconds, "ratio": seconds["ours"] / seconds["pyarrow"]}


def peak_over_array(path: Path) -> float:
    """The most memory that a process takes to read a file, over that of its features."""
    code = f"from tests.bench.reading import take; print(take({str(path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def take(path: str) -> float:
    """Peak memory of reading a file over that of its features, once all libraries are loaded."""
    load_dataset("digits")
    with measured(torch.device("cpu")) as cost:
        features = load_dataset(path).features
    return cost.peak_mb * 2**20 / features.nbytes


if __name__ == "__main__":
    main()

"""How fast packaged networks encode on a CPU: `python -m tests.bench.packaged_encoders`.

The network as timm has it, with all cores on one batch, against the folded one, with a batch a core, turn about in one
process. Pictures a second, best and middle of the rounds; decoding and scaling are left out of both.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from skmm_core.config import EmbedJob
from skmm_core.device import generator
from skmm_core.encoders import PACKAGED, installed, load_encoder

_BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast packaged networks encode on a CPU.")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    for model in filter(installed, PACKAGED):
        plain, folded, apart = _rates(model, arguments.cores, arguments.rounds)
        sys.stdout.write(
            f"{model}, {arguments.cores} cores: plain {_text(plain)}, folded {_text(folded)} pictures a second, "
            f"{max(folded) / max(plain):.1f} × (middle {statistics.median(folded) / statistics.median(plain):.1f} ×); "
            f"features at most {apart:.0e} apart\n"
        )


def _rates(model: str, cores: int, rounds: int) -> tuple[list[float], list[float], float]:
    """Pictures a second of both in each round, and the largest difference of a feature."""
    encoder = load_encoder(EmbedJob(model=model), torch.device("cpu"))
    pixels = PACKAGED[model].pixels
    draw = generator(0, "pictures to time")
    batches = [torch.randn(_BATCH, 3, pixels, pixels, generator=draw) for _ in range(2 * cores)]
    plain: list[float] = []
    folded: list[float] = []
    with torch.inference_mode(), ThreadPoolExecutor(cores) as pool:
        apart = float((encoder.network(batches[0]) - encoder(batches[0])).abs().max())
        for _ in range(rounds):
            torch.set_num_threads(cores)
            plain.append(_rate(lambda: [encoder.network(batch) for batch in batches], batches))
            torch.set_num_threads(1)
            folded.append(_rate(lambda: list(pool.map(encoder, batches)), batches))
    return plain, folded, apart


def _rate(encode: Callable[[], object], batches: list[Tensor]) -> float:
    began = time.perf_counter()
    encode()
    return len(batches) * _BATCH / (time.perf_counter() - began)


def _text(rates: list[float]) -> str:
    return f"{max(rates):.0f} ({statistics.median(rates):.0f})"


if __name__ == "__main__":
    main()

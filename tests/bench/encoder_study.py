"""What the features of a trained network change: the defaults and random picks on two kinds of features.

    python -m tests.bench.encoder_study --data FOLDER

writes `assets/benchmarks/encoders.json`, which `python -m tests.bench.evidence_page` makes a part of the evidence of.
A seed draws the same pictures of a source for every kind of features.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from skmm_core.config import EmbedJob
from skmm_core.encoders import load_encoder
from skmm_core.methods.registry import recommended_method
from skmm_core.probes.linear_probe import score_probe
from skmm_core.storage import write_text
from tests.bench.evidence import HOW, Configuration, Draw
from tests.bench.evidence_data import Benchmark, Features, Labelled
from tests.bench.offline_features import cifar_pictures, encoded, flower_pictures

SOURCE = Path(__file__).resolve().parents[2] / "assets/benchmarks/encoders.json"
METHODS = ("uniform", recommended_method(uses_labels=False).key, recommended_method(uses_labels=True).key)
WHOLE = "whole pool"


@dataclass(frozen=True)
class Source:
    """Pictures with two kinds of features.

    Attributes:
        name: for people.
        rows: of the pool, drawn anew for every seed.
        test: rows to score on, drawn anew for every seed.
        budgets: points to pick.
        seeds: how many.
        features: by the name of the encoder, what gives (N, d) features and labels; rows are the same in all.
    """

    name: str
    rows: int
    test: int
    budgets: tuple[int, ...]
    seeds: int
    features: dict[str, Callable[[Path], Labelled]]


def _encode(pictures: Callable[[Path], tuple], model: str, folder: Path) -> Labelled:
    images, labels = pictures(folder)[:2]
    encoder = load_encoder(EmbedJob(model=model), torch.device("cpu"))
    return encoded(encoder, encoder.preprocess, images), labels


def _stored(stem: str, folder: Path) -> Labelled:
    parts = []
    for part in ("train", "test"):
        with np.load(folder / f"{stem}_{part}.npz", allow_pickle=False) as found:
            parts.append((found["X"].astype(np.float32), found["y"].astype(np.int64)))
    features: Features = np.concatenate([x for x, _ in parts])
    return features, np.concatenate([y for _, y in parts])


_BUILT_IN = {"built-in map": "offline", "EfficientNet-Lite0": "efficientnet-lite0"}
SOURCES = (
    Source(
        "CIFAR-10, 2,000 pictures",
        1000,
        1000,
        (20, 50, 100),
        16,
        {name: partial(_encode, cifar_pictures, model) for name, model in _BUILT_IN.items()},
    ),
    Source(
        "Flowers, 100 photographs",
        60,
        40,
        (10, 20),
        32,
        {name: partial(_encode, flower_pictures, model) for name, model in _BUILT_IN.items()},
    ),
    Source(
        "Flowers, 3,117 photographs",
        1500,
        1500,
        (10, 25, 50, 100),
        16,
        {
            "MobileNetV2": partial(_stored, "flowers5_mobilenetv2q"),
            "EfficientNet-Lite0": partial(_stored, "flowers5_efficientnetlite0"),
        },
    ),
)


def measure(source: Source, folder: Path, seeds: int) -> Iterator[list]:
    """Accuracy of every method at every budget and of the whole pool: source, features, method, budget, seed, value."""
    for features, load in source.features.items():
        labelled = load(folder)
        benchmark = Benchmark(
            source.name,
            source.name,
            "",
            "",
            source.budgets,
            lambda folder, seed, found=labelled: (found, None),
            source.rows,
            test=source.test,
        )
        for seed in range(seeds):
            drawn = Draw(benchmark, folder, seed)
            for method in METHODS:
                for budget in source.budgets:
                    value, _ = drawn.score(Configuration(method, method), budget)
                    yield [source.name, features, method, budget, seed, round(value, 4)]
            everything = score_probe(drawn.dataset, torch.arange(source.rows)).metrics["accuracy"]
            yield [source.name, features, WHOLE, source.rows, seed, round(everything, 4)]
            sys.stderr.write(f"{source.name}, {features}, seed {seed}\n")


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=SOURCE)
    parser.add_argument("--seeds", type=int, help="fewer than each source has")
    options = parser.parse_args()
    torch.set_num_threads(1)
    scores = [row for source in SOURCES for row in measure(source, options.data, options.seeds or source.seeds)]
    about = json.dumps(HOW | {"columns": ["source", "features", "method", "budget", "seed", "value"]}, indent=1)
    rows = ",\n".join(json.dumps(row) for row in scores)
    write_text(options.out, f'{about[:-2]},\n "scores": [\n{rows}\n]\n}}\n')


if __name__ == "__main__":
    main()

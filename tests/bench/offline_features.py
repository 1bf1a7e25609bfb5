"""Compare feature maps that need no download: `python -m tests.bench.offline_features DATA_FOLDER --out TABLE.md`.

Logistic probes on Fashion-MNIST (2,000 train, 3,000 test), CIFAR-10 (1,500 / 500) and 100 flower photographs (70 / 30,
ten splits). The rivals are the usual choices: pixels, colour, HOG (Dalal & Triggs, 2005) and random convolutions with
two-sided rectification (Coates & Ng, 2012), with the same colour block. Below them stand the trained networks whose
weights are installed as packages.
"""

import argparse
import io
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from skmm_core.config import EmbedJob
from skmm_core.device import generator
from skmm_core.encoders import PACKAGED, installed, load_encoder
from skmm_core.encoders.encoder import Preprocess
from skmm_core.encoders.offline import OfflineMap, prepare
from skmm_core.solvers.classifier import fit_classifier

_TEXTURE, _COLOUR = 864, 226  # the map's columns: scattering of three channels, then colour and histogram
_AT_ONCE = 32
_CPU = torch.device("cpu")
_MAP = OfflineMap(_CPU)
Map = Callable[[Tensor], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare feature maps that need no download.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sets = {"Fashion-MNIST": _fashion(arguments.data), "CIFAR-10": cifar_pictures(arguments.data)}
    flowers = flower_pictures(arguments.data)
    lines = ["| map | d | Fashion-MNIST | CIFAR-10 | flowers |", "|---|---|---|---|---|"]
    networks = [load_encoder(EmbedJob(model=key), _CPU) for key in PACKAGED if installed(key)]
    trained = [(f"**{PACKAGED[network.name].title}** (trained)", network, network.preprocess) for network in networks]
    for name, encode, prepared in [*((name, encode, prepare) for name, encode in MAPS.items()), *trained]:
        rows = encoded(encode, prepared, flowers[0])
        scores = [
            _accuracy(encoded(encode, prepared, pictures), labels, np.arange(len(labels)) < train)
            for pictures, labels, train in sets.values()
        ]
        cells = " | ".join(f"{100 * score:.1f}" for score in (*scores, _ten_splits(rows, flowers[1])))
        lines.append(f"| {name} | {rows.shape[1]:,} | {cells} |")
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def encoded(encode: Map, prepared: Preprocess, pictures: Sequence[Image.Image]) -> np.ndarray:
    """(N, d) features, a few pictures at once."""
    blocks = (pictures[start : start + _AT_ONCE] for start in range(0, len(pictures), _AT_ONCE))
    return torch.cat([encode(torch.stack([prepared(picture) for picture in block])) for block in blocks]).numpy()


def _accuracy(rows: np.ndarray, labels: np.ndarray, train: np.ndarray) -> float:
    mean, spread = rows[train].mean(0), rows[train].std(0)
    scaled = (rows - mean) / np.where(spread > 1e-6, spread, np.inf)
    fitted = fit_classifier(scaled[train], labels[train])
    return float((fitted.predict(scaled[~train]) == labels[~train]).mean())


def _ten_splits(rows: np.ndarray, labels: np.ndarray) -> float:
    scores = []
    for split in range(10):
        order = torch.randperm(len(labels), generator=generator(split, "flower split")).numpy()
        train = np.zeros(len(labels), bool)
        train[order[: len(labels) * 7 // 10]] = True
        scores.append(_accuracy(rows, labels, train))
    return float(np.mean(scores))


def _pixels(pictures: Tensor) -> Tensor:
    return pictures.flatten(1).float() / 255


def _colour(pictures: Tensor) -> Tensor:
    return _MAP(pictures)[:, _TEXTURE:]


def _scattering(pictures: Tensor) -> Tensor:
    return _MAP(pictures)[:, :_TEXTURE]


def _hog(pictures: Tensor) -> Tensor:
    """(B, 384) roots of the shares of 8 directions, weighed by gradient length, in 4 × 4 cells at three scales."""
    found = []
    for scale in (1, 2, 4):
        image = functional.pad(functional.avg_pool2d(_pixels_2d(pictures), scale), (1, 1, 1, 1), mode="replicate")
        across = image[..., 1:-1, 2:] - image[..., 1:-1, :-2]
        down = image[..., 2:, 1:-1] - image[..., :-2, 1:-1]
        best = (across.square() + down.square()).argmax(1, keepdim=True)
        across, down = across.gather(1, best), down.gather(1, best)
        turn = torch.atan2(down, across) / (2 * math.pi) * 8
        apart = (turn - torch.arange(8).view(1, 8, 1, 1)).remainder(8)
        votes = (1 - torch.minimum(apart, 8 - apart)).clamp(min=0) * torch.hypot(across, down)
        cells = functional.adaptive_avg_pool2d(votes, 4)
        found.append((cells / (cells.sum(1, keepdim=True) + 0.02)).sqrt().flatten(1))
    return torch.cat(found, dim=1)


def _random_convolution(pictures: Tensor) -> Tensor:
    """(B, 1600) both signs of 200 seeded 6 × 6 filters on contrast-normalised patches, in 2 × 2 cells."""
    image, side = _pixels_2d(pictures), 6
    filters = torch.randn(200, 3, side, side, generator=generator(0, "random filters"))
    filters = filters - filters.mean((2, 3), keepdim=True)
    filters = filters / filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    mean = functional.avg_pool2d(image, side, stride=1)
    spread = (functional.avg_pool2d(image.square(), side, stride=1) - mean.square()).mean(1, keepdim=True)
    response = functional.conv2d(image, filters) / ((spread.clamp(min=0) + 1e-3).sqrt() * math.sqrt(3 * side * side))
    both = torch.cat([(response - 0.25).clamp(min=0), (-response - 0.25).clamp(min=0)], dim=1)
    return functional.adaptive_avg_pool2d(both, 2).flatten(1)


def _pixels_2d(pictures: Tensor) -> Tensor:
    return pictures.float() / 255


def _with_colour(encode: Map) -> Map:
    return lambda pictures: torch.cat([encode(pictures), _colour(pictures)], dim=1)


MAPS: Mapping[str, Map] = {
    "pixels": _pixels,
    "colour": _colour,
    "HOG": _hog,
    "HOG, colour": _with_colour(_hog),
    "random convolutions": _random_convolution,
    "random convolutions, colour": _with_colour(_random_convolution),
    "scattering": _scattering,
    "**scattering, colour (offline)**": _MAP,
}


def _fashion(folder: Path) -> tuple[list[Image.Image], np.ndarray, int]:
    with np.load(folder / "fashion_mnist_images_test10k.npz", allow_pickle=False) as found:
        return _pictures(found["images"][:5_000]), found["y"][:5_000].astype(np.int64), 2_000


def cifar_pictures(folder: Path) -> tuple[list[Image.Image], np.ndarray, int]:
    with np.load(folder / "cifar10_mobilenetv2q_train.npz", allow_pickle=False) as found:
        labels = found["y"][:2_000].astype(np.int64)
    with np.load(folder / "cifar10_images_2000.npz", allow_pickle=False) as found:
        return _pictures(found["images"]), labels, 1_500


def flower_pictures(folder: Path) -> tuple[list[Image.Image], np.ndarray]:
    pictures, classes = [], []
    with zipfile.ZipFile(folder / "flower_photos_100.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".jpg"):
                pictures.append(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
                classes.append(Path(name).parent.name)
    return pictures, np.unique(classes, return_inverse=True)[1]


def _pictures(arrays: np.ndarray) -> list[Image.Image]:
    return [Image.fromarray(array).convert("RGB") for array in arrays]


if __name__ == "__main__":
    main()

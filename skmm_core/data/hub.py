"""Public image sets by name, downloaded by torchvision when there is a network."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.storage import home

if TYPE_CHECKING:
    from PIL import Image

_LOSSLESS_SIDE = 64
_QUALITY = 95


@dataclass(frozen=True)
class HubSet:
    """A public set.

    Attributes:
        title: for people.
        loader: class of torchvision.datasets.
        splits: arguments of the loader by part; its download and root come on top.
    """

    title: str
    loader: str
    splits: dict[str, dict[str, Any]]


_TRAIN_FLAG = {"train": {"train": True}, "test": {"train": False}}
_SPLIT = {"train": {"split": "train"}, "test": {"split": "test"}}
_SPLITS = {"train": {"split": "train"}, "validation": {"split": "val"}, "test": {"split": "test"}}
HUB: dict[str, HubSet] = {
    "cifar10": HubSet("CIFAR-10", "CIFAR10", _TRAIN_FLAG),
    "cifar100": HubSet("CIFAR-100", "CIFAR100", _TRAIN_FLAG),
    "mnist": HubSet("MNIST", "MNIST", _TRAIN_FLAG),
    "fashion-mnist": HubSet("Fashion-MNIST", "FashionMNIST", _TRAIN_FLAG),
    "stanford-cars": HubSet("Stanford Cars", "StanfordCars", _SPLIT),
    "flowers-102": HubSet("Oxford Flowers-102", "Flowers102", _SPLITS),
    "food-101": HubSet("Food-101", "Food101", _SPLIT),
    "svhn": HubSet("Street View House Numbers", "SVHN", _SPLIT),
    "dtd": HubSet("Describable Textures", "DTD", _SPLITS),
    "aircraft": HubSet("FGVC Aircraft", "FGVCAircraft", _SPLITS),
}


def hub_name(source: str) -> str | None:
    """Name of the public set that `hub:NAME` asks for; None for the path of a folder or file."""
    prefix, colon, name = source.partition(":")
    return name if colon and prefix == "hub" else None


def fetch(name: str, *, report: Report = ignore) -> Path:
    """Download a public set, or find it in the cache, as a folder of class folders.

    The folder has `train/`, `test/` and, where the set has one, `validation/`, each with one folder a class, as
    :func:`skmm_core.data.image_index.index_images` reads them. Pictures of up to 64 pixels are kept without loss.

    Args:
        name: key of HUB.
        report: told of the pictures written; raise Cancelled from it to stop.

    Raises:
        InputError: the name is unknown, or the set cannot be downloaded; the message says how to give a local folder.
    """
    if name not in HUB:
        raise InputError(
            f"there is no public image set {name!r}; choose {', '.join(HUB)}, or give a folder, a zip or a tar file"
        )
    target = home() / "hub" / name
    if target.is_dir():
        return target
    work = target.with_name(f".{os.getpid()}-{name}")
    shutil.rmtree(work, ignore_errors=True)
    try:
        for part in HUB[name].splits:
            for done, (label, picture, total) in enumerate(_pictures(HUB[name], part, work / "download", report)):
                report(Progress(f"Writing {HUB[name].title} ({part})", done, total))
                _save(picture, work / "pictures" / part / label.replace("/", "-"), done)
        with contextlib.suppress(OSError):  # another process was faster
            (work / "pictures").rename(target)
    except OSError as error:
        raise InputError(
            f"{name} cannot be written: {(error.strerror or 'unknown error').lower()}; set SKMM_HOME"
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _pictures(of: HubSet, part: str, root: Path, report: Report) -> Iterator[tuple[str, "Image.Image", int]]:
    """Class, picture, and how many there are, one by one."""
    report(Progress(f"Downloading {of.title} ({part})", 0))
    try:
        from torchvision import datasets  # late: it loads torch, and is needed here only

        root.mkdir(parents=True, exist_ok=True)
        data = getattr(datasets, of.loader)(root=str(root), download=True, **of.splits[part])
    except Exception as error:  # each set fails in its own way: no network, a moved address, a missing package
        why = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise InputError(
            f"{of.title} cannot be downloaded ({why}); put its pictures into class folders, train/CLASS/… and "
            "test/CLASS/…, and give that folder (--images FOLDER)"
        ) from None
    names = [str(name) for name in getattr(data, "classes", ())]
    for row in range(len(data)):
        picture, label = data[row]
        yield names[int(label)] if names else f"{int(label):03d}", picture, len(data)


def _save(picture: "Image.Image", folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if max(picture.size) <= _LOSSLESS_SIDE:
        picture.save(folder / f"{number:06d}.png")
    else:
        picture.convert("RGB").save(folder / f"{number:06d}.jpg", quality=_QUALITY)

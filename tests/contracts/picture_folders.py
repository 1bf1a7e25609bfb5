"""Folders of pictures for tests: drawn, copied, packed into a zip file."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def draw(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)).save(path, "PNG")


def add(root, *names, first=0):
    """Pictures of distinct content."""
    for seed, name in enumerate(names, first):
        draw(root / name, seed)


def copy(root, source, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes((root / source).read_bytes())


def packed(root):
    """The same files in a zip file beside the folder."""
    path = root.parent / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(root))
    return path


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if not path.is_dir())


def reasons(found):
    """Why each file of an index, or of an unpacked archive, is left out."""
    return {each.path: each.reason for each in found.skipped}

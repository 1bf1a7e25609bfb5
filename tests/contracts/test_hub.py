"""Public sets: written as class folders; without a network, one line says what to do."""

import urllib.error

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from skmm_core.data.hub import HUB, fetch
from skmm_core.data.image_index import index_images
from skmm_core.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Tiny:
    """A set as torchvision gives it: six pictures of two classes."""

    classes = ("ant", "bee/wasp")

    def __init__(self, root, download, train):
        self.offset = 0 if train else 50

    def __len__(self):
        return 6

    def __getitem__(self, row):
        pixels = np.random.default_rng(row + self.offset).integers(0, 256, (9, 9, 3), np.uint8)
        return Image.fromarray(pixels), row % 2


def test_a_set_becomes_class_folders_once(monkeypatch):
    monkeypatch.setattr(datasets, "CIFAR10", Tiny)
    index = index_images(fetch("cifar10"))
    assert index.class_names == ("ant", "bee-wasp")
    assert (index.parts.count("train"), index.parts.count("test")) == (6, 6)
    assert np.array_equal(
        np.asarray(index.picture(index.ids.index("train/ant/000002.png"))), np.asarray(Tiny("", 1, 1)[2][0])
    )
    monkeypatch.setattr(datasets, "CIFAR10", None)
    assert index_images(fetch("cifar10")).fingerprint == index.fingerprint, "from the cache"


def test_no_network_is_one_line(monkeypatch, home):
    def unreachable(**options):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(datasets, "Flowers102", unreachable)
    with pytest.raises(InputError, match=r"cannot be downloaded .*give that folder \(--images FOLDER\)") as caught:
        fetch("flowers-102")
    assert "\n" not in str(caught.value)
    assert not list((home / "hub").iterdir())


def test_unknown_names_list_what_there_is():
    with pytest.raises(InputError, match="choose cifar10, cifar100"):
        fetch("imagenet")


@pytest.mark.parametrize("name", HUB)
def test_every_set_is_one_of_torchvision(name):
    assert issubclass(getattr(datasets, HUB[name].loader), datasets.VisionDataset)

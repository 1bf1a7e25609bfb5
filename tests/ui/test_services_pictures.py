"""Pictures that people upload: their names stay what metadata calls them, and do no harm."""

import io
import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from dashboard.services.pictures import PICTURE_SUFFIXES, save_pictures
from skmm_core.data import index_images
from skmm_core.data.picture_kinds import PICTURE_KINDS
from skmm_core.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def picture(seed: int) -> io.BytesIO:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (seed, 0, 0)).save(buffer, "PNG")
    return buffer


def kept(*names: str) -> list[str]:
    folder = save_pictures([picture(seed) for seed in range(len(names))], names)
    return sorted(path.name for path in folder.iterdir())


def test_the_form_takes_what_the_engine_reads() -> None:
    assert tuple(f".{suffix}" for suffix in PICTURE_SUFFIXES) == PICTURE_KINDS


@pytest.mark.parametrize(
    "name",
    [
        "IMG (1).JPG",
        "Shot 1.00\u202fPM.png",
        "caf\u00e9 \u732b.png",
        "24_0_1_2017 .jpg.chip.jpg",
        "a&b, c+d=[e].png",
        "1 .png",
    ],
)
def test_metadata_finds_uploaded_pictures(name: str) -> None:
    """Whatever form their accents have on either side."""
    table = io.BytesIO(f'file_name,age\n"{unicodedata.normalize("NFD", name)}",3.5\n2.png,4\n'.encode())
    folder = save_pictures([picture(0), picture(1), table], [name, "2.png", "metadata.csv"])
    index = index_images(folder)
    assert dict(zip(index.ids, index.targets.tolist(), strict=True)) == {name: 3.5, "2.png": 4.0}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/x.png", "x.png"),
        ("C:\\temp\\x.png", "x.png"),
        ("a\nb\x1b.png", "a-b-.png"),
        ("..png", "picture.png"),
        (".png", "picture.png"),
        ("...", "picture."),
        ("x.p\nng", "x.p-ng"),
        ("\ud800.png", "?.png"),
        ("a" * 300 + ".png", "a" * 180 + ".png"),
        ("\u732b" * 100 + ".png", "\u732b" * 60 + ".png"),
    ],
)
def test_names_become_harmless(name: str, safe: str) -> None:
    assert kept(name) == [safe]


def test_two_pictures_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="two pictures are called"):
        kept("caf\u00e9.png", "cafe\u0301.png")

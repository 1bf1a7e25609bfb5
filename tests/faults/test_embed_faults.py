"""Embedding that is killed, cancelled or finds damage: what is left is true, and the next call goes on with it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from skmm_core.config import DatasetConfig, EmbedJob, RunConfig
from skmm_core.data.image_index import index_images
from skmm_core.data.picture_source import source_fingerprint
from skmm_core.encoders import features
from skmm_core.encoders.encoder import Encoder
from skmm_core.encoders.feature_cache import FeatureCache
from skmm_core.encoders.feature_file import FeatureRows, write_features
from skmm_core.encoders.features import embed_images
from skmm_core.encoders.registry import load_encoder
from skmm_core.errors import Cancelled, InputError
from skmm_core.jobs.bundle_import import import_run
from skmm_core.jobs.runner import run_folder
from skmm_core.progress import ignore
from skmm_core.runs import RunState, RunStore, read_config, read_result
from skmm_core.runs.files import FEATURES, REPORT

ROOT = Path(__file__).parents[2]
COUNT = 40
# Embeds in small blocks and stops for good when half is done: a kill at a chosen moment.
CHILD = """
import os, signal, sys
from pathlib import Path
from skmm_core.encoders import embedding, features
from skmm_core.config import DatasetConfig, EmbedJob
features.BLOCK_ROWS = 8
def report(progress):
    if progress.phase == "Embedding images" and progress.step >= 20:
        os.kill(os.getpid(), signal.SIGKILL)
embedding.embed(DatasetConfig(source=sys.argv[1]), EmbedJob(), Path(sys.argv[2]), device="cpu", report=report)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(features, "BLOCK_ROWS", 8)
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(2)
    for number in range(COUNT):
        path = tmp_path / "pictures" / f"kind{number % 2}" / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (12 + number % 5, 16, 3), dtype=np.uint8)).save(path)
    return tmp_path / "pictures"


@pytest.fixture
def encoder():
    return load_encoder(EmbedJob(), torch.device("cpu"))


def indexed(folder):
    return index_images(folder, report=ignore)


def test_a_killed_embedding_goes_on_and_gives_the_same_bytes(home, folder, tmp_path, monkeypatch):
    words = [sys.executable, "-c", CHILD, str(folder), str(tmp_path / "a.npz")]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    killed = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=200)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "a.npz").exists()
    child = load_encoder(EmbedJob(), torch.device("cpu"))
    resumed = embed_images(indexed(folder), child, tmp_path / "a.npz", batch=32)
    assert resumed.encoded == COUNT - 16, "two blocks of 8 were on disk"
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "fresh"))
    whole = embed_images(indexed(folder), child, tmp_path / "b.npz", batch=32)
    assert whole.encoded == COUNT
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_features_are_those_of_each_picture_alone(home, folder, encoder, tmp_path):
    index = indexed(folder)
    embed_images(index, encoder, tmp_path / "a.npz", batch=3, workers=3)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert found["ids"].tolist() == list(index.ids)
        for row in range(0, COUNT, 7):
            alone = encoder(encoder.preprocess(index.picture(row))[None])[0].numpy()
            np.testing.assert_allclose(found["X"][row], alone, rtol=0, atol=1e-5)


def test_a_cancelled_embedding_keeps_its_blocks(home, folder, encoder, tmp_path):
    def stop(progress):
        if progress.step >= 20:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        embed_images(indexed(folder), encoder, tmp_path / "a.npz", batch=4, report=stop)
    assert not list(tmp_path.glob("*.npz"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
    assert embed_images(indexed(folder), encoder, tmp_path / "a.npz", batch=4).encoded == COUNT - 16


def test_damaged_blocks_are_made_again(home, folder, encoder, tmp_path):
    embed_images(indexed(folder), encoder, tmp_path / "a.npz")
    blocks = sorted((home / "cache" / "features" / encoder.key).glob("*.npy"))
    assert len(blocks) == COUNT // 8
    blocks[0].write_bytes(b"")
    blocks[1].write_bytes(blocks[1].read_bytes()[:500])
    np.save(blocks[2], np.full((8, encoder.dim), np.nan, np.float32))
    np.save(blocks[3], np.zeros((8, 3), np.float32))
    assert embed_images(indexed(folder), encoder, tmp_path / "b.npz").encoded == 32
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_one_more_picture_costs_one_block(home, folder, encoder, tmp_path):
    embed_images(indexed(folder), encoder, tmp_path / "a.npz")
    Image.new("RGB", (9, 9), (200, 10, 10)).save(folder / "kind1" / "zz.png")
    assert embed_images(indexed(folder), encoder, tmp_path / "b.npz").encoded == 1


def test_the_cache_forgets_what_was_used_longest_ago(home, monkeypatch):
    monkeypatch.setenv("SKMM_CACHE_MB", "2")
    cache = FeatureCache("k" * 32)
    block = np.zeros((1, 200_000), np.float32)  # 0.8 MB
    for number in range(4):
        cache.write(str(number), block)
        os.utime(cache.path(str(number)), (number, number))
    assert cache.read("0", 1, 200_000) is not None, "reading makes it the newest"
    cache.trim()
    assert [cache.path(str(number)).exists() for number in range(4)] == [True, False, False, True]
    monkeypatch.setenv("SKMM_CACHE_MB", "lots")
    with pytest.raises(InputError, match="SKMM_CACHE_MB"):
        FeatureCache("k" * 32)


def test_numbers_that_are_not_finite_and_vanished_pictures_are_one_line(home, folder, encoder, tmp_path):
    broken = Encoder(
        **{name: getattr(encoder, name) for name in ("name", "dim", "preprocess", "device", "half")},
        forward=lambda batch: torch.full((len(batch), encoder.dim), torch.nan),
        provenance={**encoder.provenance, "model": "broken"},
    )
    with pytest.raises(InputError, match="not finite"):
        embed_images(indexed(folder), broken, tmp_path / "a.npz")
    index = indexed(folder)
    (folder / index.ids[5]).unlink()
    with pytest.raises(InputError, match=f"{index.ids[5]} cannot be read any more"):
        embed_images(index, encoder, tmp_path / "a.npz")
    assert not list(tmp_path.glob("*.npz"))


def test_an_embedding_is_an_ordinary_run(home, folder, tmp_path):
    store = RunStore(home)
    config = RunConfig(dataset=DatasetConfig(source=str(folder)), job=EmbedJob(), device="cpu")
    run = store.create(config, source_fingerprint(str(folder)))
    assert (run.kind, run.dataset, run.method, run.budget) == ("embed", "pictures", "the built-in map", "")
    phases = []
    run_folder(run.folder, lambda progress: phases.append(progress.phase), home=home)
    assert store.get(run.id).state is RunState.DONE
    assert "Embedding images" in phases
    result = read_result(run.folder)
    assert (result["N"], result["class_names"]) == (COUNT, ["kind0", "kind1"])
    assert (run.folder / FEATURES).is_file()
    assert "kind0, kind1" in (run.folder / REPORT).read_text("utf-8")
    assert result["command"].startswith("python -m skmm_core embed --images ")
    store.export(run.id, tmp_path / "run.zip")
    store.delete(run.id)
    brought = import_run(RunStore(tmp_path / "elsewhere"), tmp_path / "run.zip")
    assert read_config(brought.folder) == config
    assert (brought.folder / FEATURES).read_bytes() == (home / "trash" / run.id / FEATURES).read_bytes()


def test_a_run_whose_pictures_changed_is_refused(home, folder):
    store = RunStore(home)
    config = RunConfig(dataset=DatasetConfig(source=str(folder)), job=EmbedJob(), device="cpu")
    run = store.create(config, source_fingerprint(str(folder)))
    Image.new("RGB", (9, 9)).save(folder / "kind0" / "new.png")
    with pytest.raises(InputError, match="changed since this run was set up"):
        run_folder(run.folder, home=home)
    assert store.get(run.id).state is RunState.FAILED


def test_a_block_that_another_run_removed_is_one_line_and_leaves_no_file(tmp_path):
    rows = FeatureRows([tmp_path / "gone.npy"], ["a"], None)
    with pytest.raises(InputError, match="removed from the cache by another run"):
        write_features(tmp_path / "out.npz", {"train": rows}, 3, names=(), shown={}, provenance={})
    assert not list(tmp_path.iterdir())

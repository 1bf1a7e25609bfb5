"""A pool read by a Ray cluster: the same points as on one machine, also when a worker dies half-way."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from skmm_core.blocks import ClusterWorkers
from skmm_core.config import DatasetConfig, RunConfig, SelectJob
from skmm_core.data import load_dataset
from skmm_core.data.npy_stream import NpyStream
from skmm_core.errors import InputError
from skmm_core.jobs.who_works import workers_of

ray = pytest.importorskip("ray", reason="needs Ray: pip install -r requirements-ray.txt")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two machines, as far as Ray can tell, and this process in their cluster."""
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")
    both = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 * 2**20})
    both.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    yield both
    ray.shutdown()
    both.shutdown()


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "home"))
    rows = np.random.default_rng(3).standard_t(4, size=(20_000, 16)).astype(np.float16) + np.float16(7)
    np.save(tmp_path / "big.npy", rows)
    return tmp_path / "big.npy"


def test_the_same_rows_are_held_and_the_last_digit_is_the_same(cluster, file, tmp_path, monkeypatch):
    config = DatasetConfig(source=str(file), candidates=1_000)
    alone = load_dataset(config)
    monkeypatch.setenv("SKMM_HOME", str(tmp_path / "another"))
    together = load_dataset(config, workers=ClusterWorkers(cluster.address))
    assert together.fingerprint == alone.fingerprint
    assert torch.equal(together.rows, alone.rows)
    assert torch.equal(together.whole.scatter, alone.whole.scatter)
    assert torch.equal(together.features, alone.features)


def test_a_worker_that_dies_half_way_costs_no_row(cluster, tmp_path):
    pieces = [range(start, start + 100) for start in range(0, 2_000, 100)]
    died = tmp_path / "died"

    def work(piece: range) -> int:
        if 1_050 in piece and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return sum(piece)

    found = list(ClusterWorkers(cluster.address).each(work, pieces))
    assert died.exists()
    assert found == [sum(piece) for piece in pieces]


def test_a_piece_that_cannot_be_read_is_told_in_one_line(cluster, file):
    stream = NpyStream([file], "big.npy", None)
    file.write_bytes(file.read_bytes()[:1_000])
    with pytest.raises(InputError, match=r"big.npy became shorter while it was read"):
        stream.sum(lambda block: (block.sum(),), phase="Adding up", workers=ClusterWorkers(cluster.address))


def test_without_a_cluster_this_machine_works_alone_and_says_why(monkeypatch):
    def nobody(self, address: str) -> None:
        raise InputError(f"no Ray cluster answers at {address}")

    monkeypatch.setattr(ClusterWorkers, "__init__", nobody)
    config = RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(budget=5), cluster="auto")
    workers, told = workers_of(config)
    assert list(workers.each(len, [range(3)])) == [3]
    assert told == ("This machine worked alone: no Ray cluster answers at auto.",)
    with pytest.raises(InputError, match=r"no Ray cluster answers at 10\.0\.0\.5:6379"):
        workers_of(config.model_copy(update={"cluster": "10.0.0.5:6379"}))

"""Built-in datasets: sizes, fixed splits, options, and what `describe` says of them."""

import hashlib

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from skmm_core.config import DatasetConfig
from skmm_core.data.builtin import gaussian_mixture
from skmm_core.data.builtin_list import BUILTINS, GmmOptions
from skmm_core.data.dataset import Dataset
from skmm_core.data.load import load_dataset
from skmm_core.data.row_thumbnails import PixelImages
from skmm_core.data.summary import describe
from skmm_core.data.task import Task
from skmm_core.errors import InputError


@pytest.mark.parametrize("info", BUILTINS, ids=lambda info: info.name)
def test_the_list_tells_the_truth(info):
    dataset = load_dataset(info.name)
    assert (len(dataset.features), dataset.pool_size, dataset.features.shape[1]) == (info.rows, info.pool, info.dims)
    assert dataset.task is info.task
    assert dataset.name == info.name


@pytest.mark.parametrize("info", BUILTINS, ids=lambda info: info.name)
def test_the_split_is_60_20_20_and_uses_every_row_once(info):
    dataset = load_dataset(info.name)
    parts = [dataset.split.train, dataset.split.validation, dataset.split.test]
    assert torch.equal(torch.cat(parts).sort().values, torch.arange(info.rows))
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        assert abs(len(part) - share * info.rows) <= 1
        assert torch.equal(part, part.sort().values)


@pytest.mark.parametrize("info", BUILTINS, ids=lambda info: info.name)
def test_types_are_those_of_the_contract(info):
    dataset = load_dataset(info.name)
    assert dataset.features.dtype == torch.float32
    assert dataset.targets is not None
    assert dataset.targets.dtype == (torch.int64 if info.task is Task.CLASSIFICATION else torch.float32)
    assert bool(torch.isfinite(dataset.features).all())
    assert len(set(dataset.ids)) == info.rows


@pytest.mark.parametrize(
    ("name", "digest"),
    [("digits", "e70d570fd605f928"), ("diabetes", "46bb65164ad96712")],
)
def test_the_split_never_changes(name, digest):
    # A changed split would make every number reported for a built-in set incomparable with older ones.
    split = load_dataset(name).split
    content = b"".join(part.numpy().tobytes() for part in (split.train, split.validation, split.test))
    assert hashlib.sha256(content).hexdigest()[:16] == digest


@pytest.mark.parametrize("name", ["digits", "diabetes"])
def test_another_seed_is_another_split_of_the_same_rows(name):
    plain, other = load_dataset(name), load_dataset(f"{name}:seed=1")
    assert load_dataset(f"{name}:seed=0,validation=True").fingerprint == plain.fingerprint
    assert len({plain.fingerprint, other.fingerprint, load_dataset(f"{name}:seed=2").fingerprint}) == 3
    assert torch.equal(plain.features, other.features)
    for part in ("train", "validation", "test"):
        mine, theirs = getattr(plain.split, part), getattr(other.split, part)
        assert len(mine) == len(theirs)
        assert not torch.equal(mine, theirs)
    assert torch.cat([other.split.train, other.split.validation, other.split.test]).unique().numel() == len(plain.ids)


@pytest.mark.parametrize("name", ["digits:seed={}", "diabetes:seed={}"])
@pytest.mark.parametrize("seed", [0, 5])
def test_without_validation_its_rows_are_test_rows(name, seed):
    three, two = load_dataset(name.format(seed)).split, load_dataset(name.format(seed) + ",validation=no").split
    assert torch.equal(three.train, two.train)
    assert len(two.validation) == 0
    assert torch.equal(torch.cat([three.validation, three.test]).sort().values, two.test)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_digits_are_stratified(seed):
    dataset = load_dataset(f"digits:seed={seed}")
    assert dataset.targets is not None
    whole = torch.bincount(dataset.targets) / len(dataset.targets)
    for part in (dataset.split.train, dataset.split.validation, dataset.split.test):
        counts = torch.bincount(dataset.targets[part])
        # Two largest-remainder divisions, each off by less than one row a class.
        assert float((counts - whole * len(part)).abs().max()) < 2


def test_digits_rows_are_those_of_scikit_learn_with_their_images():
    dataset, bunch = load_dataset("digits"), load_digits()
    row = int(dataset.split.train[17])
    source = int(dataset.rows[row])
    assert np.array_equal(dataset.features[row].numpy(), bunch.data[source].astype(np.float32))
    assert dataset.class_names[int(dataset.targets[row])] == str(bunch.target[source])
    assert isinstance(dataset.images, PixelImages)
    assert np.abs(dataset.images.pixels[row] - bunch.images[source] * 255 / 16).max() <= 0.5
    assert dataset.images.png(row).startswith(b"\x89PNG")


def test_every_option_of_the_mixture_can_be_set():
    source = "gmm:N=90,r=20,clusters=3,K=5,std_max=0.1,label_noise=0.5,seed=7"
    dataset = load_dataset(source)
    assert dataset.pool_size == 90
    assert len(dataset.split.validation) == len(dataset.split.test) == 30
    assert dataset.features.shape == (150, 20)
    assert dataset.source == source
    named = {part.partition("=")[0] for part in source.partition(":")[2].split(",")}
    assert named == set(BUILTINS[0].options), "an option that no test sets"


@pytest.mark.parametrize("change", ["N=91", "r=21", "clusters=4", "K=6", "std_max=0.2", "label_noise=0.1", "seed=8"])
def test_every_option_of_the_mixture_matters(change):
    base = "gmm:N=90,r=20,clusters=3,K=5,std_max=0.1,seed=7"
    name = change.partition("=")[0]
    options = [part for part in base.removeprefix("gmm:").split(",") if not part.startswith(f"{name}=")]
    changed = "gmm:" + ",".join([*options, change])
    assert load_dataset(base).fingerprint == load_dataset(base).fingerprint
    assert load_dataset(base).fingerprint != load_dataset(changed).fingerprint


def test_defaults_written_out_are_the_defaults():
    written = ",".join(f"{name}={value}" for name, value in BUILTINS[0].options.items())
    assert load_dataset(f"gmm:{written}").fingerprint == load_dataset("gmm").fingerprint


def test_the_mixture_depends_on_its_options_alone():
    options = GmmOptions(N=60, r=10, clusters=3)
    first, _ = gaussian_mixture(options)
    torch.manual_seed(123)
    before = torch.random.get_rng_state()
    second, _ = gaussian_mixture(options)
    assert torch.equal(before, torch.random.get_rng_state()), "the global generator was used"
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gmm:n=5", "gmm has no option 'n'; the options are N, r, clusters, K, std_max, label_noise, seed"),
        ("gmm:N", "'N' has no value; write it as N=2000"),
        ("gmm:N=x", "gmm option N=x: .*valid integer"),
        ("gmm:N=1", "gmm option N=1: .*greater than or equal to 3"),
        ("gmm:N=9,N=9", "'N' is given twice"),
        ("gmm:std_max=-1", "std_max=-1: .*greater than or equal to 0"),
        ("gmm:std_max=nan", "std_max=nan: .*finite"),
        ("gmm:clusters=9,r=8", "clusters=9 is more than r=8"),
        ("gmm:N=5000000,r=60000", "gmm unpacks to .* MB, more than the limit of 2,048 MB"),
        ("digits:rows=9", "digits has no option 'rows'; the options are seed, validation"),
        ("diabetes:seed=-1", "diabetes option seed=-1: .*greater than or equal to 0"),
        ("digits:validation=some", "digits option validation=some: .*valid boolean"),
        ("mnist", "no built-in dataset 'mnist' and no such file; the built-ins are gmm, digits, diabetes"),
        ("gm:std_max=0.1", "no built-in dataset 'gm'"),
    ],
)
def test_a_wrong_source_says_what_there_is(source, message):
    with pytest.raises(InputError, match=message) as caught:
        load_dataset(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "option", [{"holdout": 0.2}, {"test": "t.npz"}, {"labels": "y.npy"}, {"target": "y"}, {"id": "i"}]
)
def test_options_of_files_are_refused_for_built_in_sets(option):
    with pytest.raises(InputError, match=f"digits is built in.*leave out --{next(iter(option))}"):
        load_dataset(DatasetConfig(source="digits", **option))


def test_a_built_in_set_keeps_its_task():
    with pytest.raises(InputError, match="digits is a classification; leave the task on auto"):
        load_dataset(DatasetConfig(source="digits", task="regression"))
    assert load_dataset(DatasetConfig(source="digits", task="classification")).task is Task.CLASSIFICATION


def test_describe_counts_the_pool():
    dataset = load_dataset("digits")
    summary = describe(dataset)
    assert (summary.rows, summary.pool, summary.validation, summary.test) == (1797, 1078, 359, 360)
    assert summary.dims == 64
    pool_labels = load_digits().target[dataset.rows[dataset.split.train].numpy()]
    assert summary.class_counts == {str(k): int((pool_labels == k).sum()) for k in range(10)}
    assert summary.target_mean is None
    assert summary.has_images
    assert len(summary.feature_names) == 64


def test_describe_gives_the_range_of_a_regression():
    dataset: Dataset = load_dataset("diabetes")
    summary = describe(dataset)
    values = dataset.targets[dataset.split.train].numpy()
    assert summary.class_counts == {}
    assert (summary.target_min, summary.target_max) == (values.min(), values.max())
    assert summary.target_mean == pytest.approx(values.mean())
    assert not summary.has_images

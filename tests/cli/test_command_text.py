"""The printed command, read back by the command line, asks for the very same run."""

import shlex

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from skmm_core.cli import compute, embed
from skmm_core.cli.program import main
from skmm_core.config import CompareJob, DatasetConfig, EmbedJob, PaperJob, RunConfig, SelectJob, SketchParams
from skmm_core.errors import InputError
from skmm_core.paper.planning import has_images
from skmm_core.runs import command_line

_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda text: not text.startswith("-")
)
_KEYS = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
_VALUES = (
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | _WORDS
)
_PARAMS = st.dictionaries(_KEYS.filter(lambda key: key not in ("c_s", "rounding")), _VALUES, max_size=3)
_SHORTCUTS = st.fixed_dictionaries(
    {}, optional={"c_s": st.floats(0.01, 1), "rounding": st.sampled_from(["matched", "sample", "balanced", "top"])}
)
_DATASETS = st.builds(
    DatasetConfig,
    source=_WORDS,
    test=st.none() | _WORDS,
    labels=st.none() | _WORDS.map("{}.npy".format),
    target=st.none() | _WORDS,
    id=st.none() | _WORDS,
    features=st.none() | _WORDS,
    text=st.none() | _WORDS,
    ignore=st.none() | _WORDS,
    unlabelled=st.none() | _WORDS,
    labelled_only=st.booleans(),
    holdout=st.none() | st.floats(0.01, 0.99),
    task=st.sampled_from(["auto", "classification", "regression"]),
    drop_bad_rows=st.booleans(),
    scale_columns=st.booleans(),
    candidates=st.none() | st.integers(100, 10**6),
)
_ROWS = st.lists(st.integers(0, 60) | st.integers(0, 10**6), max_size=8).map(tuple)
_SELECT = st.builds(
    SelectJob,
    method=_KEYS,
    budget=st.integers(-5, 10**6),
    params=st.builds(lambda a, b: a | b, _PARAMS, _SHORTCUTS),
    seed=st.integers(-5, 10**9),
    include=_ROWS,
    exclude=_ROWS,
    labels=st.none() | _WORDS.map("{}.csv".format),
)
_GROUPED = st.builds(
    lambda job, group, most: job.model_copy(update={"group": group, "per_group": most}),
    _SELECT,
    _WORDS,
    st.integers(1, 10**6) | st.just("whole"),
)
_METHODS = st.lists(_KEYS, min_size=1, max_size=3, unique=True)
_COMPARE = st.builds(
    CompareJob,
    methods=_METHODS.map(tuple),
    budgets=st.lists(st.integers(-5, 10**6), min_size=1, max_size=3, unique=True).map(tuple),
    seeds=st.integers(1, 1000),
    params=st.dictionaries(_KEYS, _PARAMS.filter(bool), max_size=2),
)
_REPLAYED = _COMPARE.map(lambda job: job.model_copy(update={"rounds": len(job.budgets)}))


def _config(dataset, job, cluster, **others):
    """`--labels` is one flag: targets of an npy file, or labels so far. A cluster reads for selections alone."""
    twice = isinstance(job, SelectJob) and job.labels is not None
    others |= {"cluster": cluster} if isinstance(job, SelectJob) else {}
    return RunConfig(dataset=dataset.model_copy(update={"labels": None}) if twice else dataset, job=job, **others)


_CONFIGS = st.builds(
    _config,
    dataset=_DATASETS,
    job=_SELECT | _GROUPED | _COMPARE | _REPLAYED,
    sketch=st.builds(SketchParams, kind=st.sampled_from(["gaussian", "none"]), dim=st.none() | st.integers(1, 16384)),
    device=st.sampled_from(["auto", "cpu", "cuda:1"]),
    cluster=st.sampled_from([None, "auto", "10.0.0.5:6379"]),
)


@given(config=_CONFIGS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_printed_command_asks_for_the_same_run(config, monkeypatch):
    asked = []
    monkeypatch.setattr(compute, "prepare_folder", lambda folder, parsed: asked.append((str(folder), parsed)))
    monkeypatch.setattr(compute, "run_prepared", lambda folder, **options: None)
    for name in ("check_source", "check_budgets"):  # names and numbers here are any at all
        monkeypatch.setattr(compute, name, lambda *asked: None)
    words = shlex.split(command_line(config, out="my out"))
    assert words[:3] == ["python", "-m", "skmm_core"]
    assert main(words[3:]) == 0
    assert asked == [("my out", config)]


_EMBED = st.builds(
    EmbedJob,
    model=_WORDS,
    pretrained=st.none() | _WORDS,
    architecture=st.none() | _WORDS,
    pattern=st.sampled_from([None, "utkface"]),
    allow_random_weights=st.booleans(),
)


@given(job=_EMBED, source=_WORDS, target=st.none() | _WORDS, device=st.sampled_from(["auto", "cpu", "cuda:1"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_printed_command_asks_for_the_same_embedding(job, source, target, device, monkeypatch):
    config = RunConfig(dataset=DatasetConfig(source=source, target=target), job=job, device=device)
    asked = []

    def note(dataset, job, file, device, *, quiet):
        asked.append((RunConfig(dataset=dataset, job=job, device=device), str(file)))
        raise InputError("seen")

    monkeypatch.setattr(embed, "_run", note)
    words = shlex.split(command_line(config, out="my out"))
    assert main(words[3:]) == 2
    assert asked == [(config, "my out.npz")]


_TABLES = st.builds(
    DatasetConfig,
    source=_WORDS,
    test=st.none() | _WORDS,
    target=st.none() | _WORDS,
    id=st.none() | _WORDS,
    text=st.none() | _WORDS,
    ignore=st.none() | _WORDS,
    unlabelled=st.none() | _WORDS,
    labelled_only=st.booleans(),
    drop_bad_rows=st.booleans(),
    task=st.sampled_from(["auto", "classification", "regression"]),
)


@given(dataset=_TABLES, model=_WORDS, device=st.sampled_from(["auto", "cpu", "cuda:1"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_printed_command_asks_for_the_same_texts(dataset, model, device, monkeypatch):
    config = RunConfig(dataset=dataset, job=EmbedJob(reads="texts", model=model), device=device)
    asked = []

    def note(dataset, job, file, device, *, quiet):
        asked.append(RunConfig(dataset=dataset, job=job, device=device))
        raise InputError("seen")

    monkeypatch.setattr(embed, "_run", note)
    assert main(shlex.split(command_line(config))[3:]) == 2
    assert asked == [config]


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (
            RunConfig(dataset=DatasetConfig(source="digits"), job=SelectJob(method="skmm", budget=100)),
            "python -m skmm_core select --dataset digits --method skmm --budget 100 --out out",
        ),
        (
            RunConfig(
                dataset=DatasetConfig(source="my data.csv", target="age", holdout=0.2, drop_bad_rows=True),
                job=SelectJob(method="skmm", budget=5, seed=3, params={"c_s": 0.9, "polish": False}),
                sketch=SketchParams(dim=64),
                device="cpu",
            ),
            "python -m skmm_core select --dataset 'my data.csv' --target age --holdout 0.2 --drop-bad-rows "
            "--method skmm --budget 5 --c-s 0.9 --param polish=false --seed 3 --sketch-dim 64 --device cpu --out out",
        ),
        (
            RunConfig(
                dataset=DatasetConfig(source="gmm:N=50,r=8"),
                job=CompareJob(methods=("skmm", "uniform"), budgets=(4, 8), seeds=2, params={"skmm": {"c_s": 0.5}}),
            ),
            "python -m skmm_core compare --dataset gmm:N=50,r=8 --methods skmm,uniform --budgets 4,8 --seeds 2 "
            "--param skmm.c_s=0.5 --out out",
        ),
    ],
)
def test_only_flags_that_differ_from_their_default_are_printed(config, text):
    assert command_line(config) == text


@pytest.mark.parametrize(
    ("source", "flag"),
    [
        *((f"x{ending}", "--features") for ending in (".npz", ".CSV", ".csv.gz", ".tsv", ".feather", ".safetensors")),
        *((f"x{ending}", "--images") for ending in ("", ".zip", ".tar", ".tar.gz", ".tgz")),
    ],
)
def test_the_paper_command_names_every_file_of_features_as_such(source, flag):
    job = PaperJob(experiment="cifar10")
    words = shlex.split(command_line(RunConfig(dataset=DatasetConfig(source=source), job=job)))
    assert words[words.index(flag) + 1] == source
    assert has_images(RunConfig(dataset=DatasetConfig(source=source), job=job), job) == (flag == "--images")

"""What the paper's experiments are: data, budgets, rows of the table, and where ours differ.

Nothing here imports torch, so that a page can describe an experiment at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from skmm_core.errors import InputError


@dataclass(frozen=True)
class Row:
    """One row of a table: a method with its options under a name of its own.

    Attributes:
        key: name in files.
        title: name in tables.
        method: registry key.
        params: options that differ from the method's defaults.
        label_aware: whether it sees the pool's labels, and so plays in the other league.
        skmm: whether it is a variant of SkMM.
        nested: whether the choice of n points begins that of more, so that one run serves all budgets.
    """

    key: str
    title: str
    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    label_aware: bool = False
    skmm: bool = False
    nested: bool = False


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        key: name on the command line.
        title: name on pages.
        setting: data, model and score in one line.
        task: which metrics are scored; see `skmm_core.comparison.summary.METRICS`.
        budgets: n of the paper.
        rows: of the table.
        needs_data: whether somebody has to bring images or features.
        origin: where the real images come from; empty for data that are made.
        pattern: how file names give targets, or None.
        differences: from the paper, one line each.
        paper_figures: the figures of the paper that are known here, by what they are.
    """

    key: str
    title: str
    setting: str
    task: str
    budgets: tuple[int, ...]
    rows: tuple[Row, ...]
    needs_data: bool = False
    origin: str = ""
    pattern: str | None = None
    differences: tuple[str, ...] = ()
    paper_figures: Mapping[str, str] = field(default_factory=dict)


_PUBLISHED = {"c_s": 0.99, "weights": "absolute", "rounding": "sample", "polish": False}
_UNIFORM = Row("uniform", "Uniform", "uniform")
_HERDING = Row("herding", "Herding", "herding", nested=True)
_KCENTER = Row("k_center", "k-center", "k_center", nested=True)
_ADAPTIVE = Row("adaptive", "Adaptive", "adaptive", nested=True)
_LEVERAGE = Row("leverage", "Truncated leverage", "leverage")
_RIDGE_LEVERAGE = Row("ridge_leverage", "Ridge leverage", "ridge_leverage")
_SKMM_PUBLISHED = Row("skmm_published", "SkMM as published", "skmm", _PUBLISHED, skmm=True)
_SKMM = Row("skmm", "SkMM", "skmm", skmm=True)
_DIRECT = Row("skmm_direct", "SkMM direct", "skmm_direct", skmm=True)
_VARIANCE = Row("skmm_variance", "SkMM variance", "skmm_variance", skmm=True)
_KERNEL = Row("skmm_kernel", "SkMM kernel", "skmm_kernel", skmm=True)
_WHITENED = Row("skmm_whitened", "SkMM whitened", "skmm_whitened", skmm=True)
_FIT = Row("skmm_fit", "SkMM fit", "skmm_fit", label_aware=True, skmm=True)
_JOINT = Row("skmm_joint", "SkMM joint", "skmm_joint", label_aware=True, skmm=True)
_STRATIFIED = Row("uniform_stratified", "Uniform by class", "uniform_stratified", label_aware=True)
_ASKING = tuple(
    Row(key, title, key, label_aware=True)
    for key, title in (
        ("contextual_diversity", "Contextual diversity"),
        ("glister", "GLISTER"),
        ("grand", "GraNd"),
        ("forgetting", "Forgetting"),
        ("deepfool", "DeepFool"),
        ("entropy", "Entropy"),
        ("margin", "Margin"),
        ("least_confidence", "Least confidence"),
    )
)

_PUBLISHED_ROW = (
    "“SkMM as published” is the relaxation with absolute weights and c_S = 0.99, rounded by independent sampling; "
    "the other SkMM rows have no such row in the paper."
)
_CLASSIFIERS = (
    *(_UNIFORM, _HERDING, _KCENTER, _SKMM_PUBLISHED, _SKMM, _DIRECT, _KERNEL, _WHITENED),
    *(_STRATIFIED, *_ASKING, _JOINT, _FIT),
)
_IMAGE_BUDGETS = (500, 1000, 1500, 2000, 2500, 3000, 3500, 4000)

EXPERIMENTS: Mapping[str, Experiment] = {
    each.key: each
    for each in (
        Experiment(
            "gmm",
            "Gaussian mixture",
            "N = 2,000 rows in 2,400 dimensions, 8 clusters; ridge regression; risk over the whole pool",
            "mixture",
            (48, 64, 80, 120, 400, 800, 1600),
            (
                _HERDING,
                _UNIFORM,
                _KCENTER,
                _ADAPTIVE,
                _LEVERAGE,
                _RIDGE_LEVERAGE,
                _SKMM_PUBLISHED,
                _SKMM,
                _DIRECT,
                _KERNEL,
                _WHITENED,
                _VARIANCE,
            ),
            differences=(
                "The mixture is drawn anew after the authors' description, several times; the paper shows one draw. "
                "Means over draws mix the spread of the draws with that of the selections.",
                "α is chosen among 41 values from 1e-6 to 1e4 by two folds of the selection; the paper's grid is not "
                "known here.",
                "Gradients are sketched to m = 32 dimensions for every SkMM row but SkMM kernel and SkMM whitened.",
                _PUBLISHED_ROW,
                "A few selections that miss a cluster decide an arithmetic mean, so geometric means and medians stand "
                "beside it.",
            ),
            paper_figures={"full": "0.00295"},
        ),
        Experiment(
            "utkface",
            "UTKFace",
            "age of a face; CLIP ViT-B/32 features; linear regression; mean absolute error in years",
            "regression",
            _IMAGE_BUDGETS,
            (
                *(_UNIFORM, _HERDING, _KCENTER, _ADAPTIVE, _LEVERAGE, _RIDGE_LEVERAGE),
                *(_SKMM_PUBLISHED, _SKMM, _DIRECT, _KERNEL, _WHITENED, _JOINT, _FIT),
            ),
            needs_data=True,
            origin="UTKFace, aligned and cropped (susanqq.github.io/UTKFace, for research): a folder of files such as "
            "26_1_2_20170116184024662.jpg, whose first number is the age.",
            pattern="utkface",
            differences=(
                "A seeded fifth of the images is the test set, unless the folder has train and test folders.",
                _PUBLISHED_ROW,
            ),
        ),
        Experiment(
            "stanford-cars",
            "Stanford Cars",
            "196 models of cars; CLIP ViT-B/32 features; linear probe; accuracy and macro-F1",
            "classification",
            _IMAGE_BUDGETS,
            _CLASSIFIERS,
            needs_data=True,
            origin="Stanford Cars (Krause et al. 2013): class folders inside train and test, as torchvision's or "
            "Kaggle's copies are sorted, or one folder a class.",
            differences=(
                "The paper's baselines train a network on the whole labelled set; here they ask a linear head trained "
                "on a small stated part of the pool.",
                "Finetuning trains the head alone (one layer), or the head and the last block of the image tower "
                "(two layers); the head starts at zero, on features standardised by the selection.",
                _PUBLISHED_ROW,
            ),
        ),
        Experiment(
            "cifar10",
            "CIFAR-10",
            "10 classes; linear probe; accuracy and macro-F1 (not in the paper's tables)",
            "classification",
            (50, 100, 200, 500, 1000),
            _CLASSIFIERS,
            needs_data=True,
            origin="CIFAR-10 (Krizhevsky 2009): class folders inside train and test.",
            differences=("The paper has no such table; it runs by the same machinery.", _PUBLISHED_ROW),
        ),
    )
}


def get_experiment(key: str) -> Experiment:
    """Look up an experiment.

    Raises:
        InputError: there is none of this name; the message lists all.
    """
    if key not in EXPERIMENTS:
        raise InputError(f"paper {key!r} is unknown; choose one of: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[key]


def chosen_rows(experiment: Experiment, keys: tuple[str, ...]) -> tuple[Row, ...]:
    """The rows asked for, in the order of the table; all when none is named. Uniform is always among them.

    Raises:
        InputError: a row is not in the table.
    """
    known = {row.key: row for row in experiment.rows}
    if unknown := [key for key in keys if key not in known]:
        raise InputError(f"--methods {unknown[0]}: {experiment.key} has no such row; its rows are: {', '.join(known)}")
    return tuple(row for row in experiment.rows if not keys or row.key in keys or row.key == "uniform")

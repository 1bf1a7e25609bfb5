"""The learners that score a selection: what each trains on the chosen points, for which task, and where it is from.

Nothing here imports torch, so that a page can name the learners of an old run before torch is there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skmm_core.errors import InputError

if TYPE_CHECKING:
    from skmm_core.config import CompareJob

LINEAR, AUTO, FINETUNE = "linear", "auto", "finetune"
_BOTH = ("classification", "regression")


@dataclass(frozen=True)
class Learner:
    """What is trained on the chosen points and scored on the test rows.

    Attributes:
        key: name in files and flags.
        title: name on pages.
        summary: what it does, in one sentence.
        tasks: "classification", "regression" or both.
        tuned_for: tasks for which the labels of validation rows, where there are any, tune it.
        paper: where it is from.
        url: address of the paper.
        phrase: how a sentence speaks of it after "with".
    """

    key: str
    title: str
    summary: str
    tasks: tuple[str, ...]
    tuned_for: tuple[str, ...]
    paper: str
    url: str
    phrase: str


LEARNERS: tuple[Learner, ...] = (
    Learner(
        LINEAR,
        "Linear probe",
        "Logistic regression for classes, ridge regression for numbers, on the chosen points alone.",
        _BOTH,
        ("classification",),
        "Alain & Bengio 2017, Understanding intermediate layers using linear classifier probes",
        "https://arxiv.org/abs/1610.01644",
        "a linear probe",
    ),
    Learner(
        "prototype",
        "Class means",
        "Each row gets the class whose chosen points have the nearest mean, on rows partly whitened by the whole pool.",
        ("classification",),
        (),
        "Snell, Swersky & Zemel 2017, Prototypical networks for few-shot learning",
        "https://arxiv.org/abs/1703.05175",
        "class means",
    ),
    Learner(
        "kernel",
        "Kernel ridge",
        "Ridge regression with a Gaussian kernel, averaged over bandwidths and penalties by their likelihood.",
        ("regression",),
        (),
        "Saunders, Gammerman & Vovk 1998, Ridge regression learning algorithm in dual variables",
        "https://dl.acm.org/doi/10.5555/645527.657464",
        "kernel ridge",
    ),
    Learner(
        "propagate",
        "Propagation",
        "A fit on rows smoothed over the pool's graph of neighbours; for classes also one to labels spread over it.",
        _BOTH,
        (),
        "Zhou et al. 2003, Learning with local and global consistency; Wu et al. 2019, Simplifying graph convolutions",
        "https://papers.nips.cc/paper/2506-learning-with-local-and-global-consistency",
        "propagation",
    ),
    Learner(
        AUTO,
        "Automatic",
        "Propagation, unless the chosen points favour the linear probe; for numbers both, weighed by their likelihood.",
        _BOTH,
        ("classification",),
        "Stone 1974, Cross-validatory choice and assessment of statistical predictions",
        "https://doi.org/10.1111/j.2517-6161.1974.tb00994.x",
        "the automatic learner",
    ),
    Learner(
        FINETUNE,
        "Finetuning",
        "A head on the features, or also the last block of a network, is trained on the chosen points by gradients.",
        _BOTH,
        _BOTH,
        "Kornblith, Shlens & Le 2019, Do better ImageNet models transfer better?",
        "https://arxiv.org/abs/1805.08974",
        "finetuning",
    ),
)
_BY_KEY = {learner.key: learner for learner in LEARNERS}


def get_learner(key: str) -> Learner:
    """Look a learner up.

    Raises:
        InputError: there is none of this name.
    """
    if key not in _BY_KEY:
        raise InputError(f"learner {key!r} is unknown; there are {', '.join(_BY_KEY)}")
    return _BY_KEY[key]


def cheap_learners(task: str) -> tuple[str, ...]:
    """Keys of the learners that fit a task and train no network: what new comparisons score under."""
    return tuple(each.key for each in LEARNERS if str(task) in each.tasks and each.key != FINETUNE)


def learners_of(job: "CompareJob", task: str) -> tuple[str, ...]:
    """Keys of the learners of a comparison, in the order of the table.

    Raises:
        InputError: one that is asked for does not fit the task.
    """
    asked: set[str] = set(job.learners)
    if not asked:
        asked |= {*cheap_learners(task), *([] if job.finetune is None else [FINETUNE])}
    for key in sorted(asked):
        if str(task) not in get_learner(key).tasks:
            fitting = ", ".join(cheap_learners(task))
            raise InputError(f"learner {key} does not fit a {task}; choose among {fitting}")
    return in_order(asked)


def in_order(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys in the order of the table; those that this version does not know come last."""
    given = set(keys)
    return (*(key for key in _BY_KEY if key in given), *sorted(given - set(_BY_KEY)))


def main_learner(keys: Sequence[str]) -> str:
    """The learner that a comparison speaks of first: auto where it was scored, else the first of the table."""
    return AUTO if AUTO in keys else in_order(keys)[0]


def learner_title(key: str) -> str:
    """Name on pages; the key itself where this version does not know it."""
    return _BY_KEY[key].title if key in _BY_KEY else key


def learner_summary(key: str) -> str:
    """What it does, in one sentence; empty where this version does not know it."""
    return _BY_KEY[key].summary if key in _BY_KEY else ""


def learner_phrase(key: str) -> str:
    """How a sentence speaks of it after "with"."""
    return _BY_KEY[key].phrase if key in _BY_KEY else key

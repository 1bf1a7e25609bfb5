"""How each point of a pool stands: chosen, labelled, waiting, its batch and tags; by position."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skmm_core.projects import ProjectState

STATES = {
    "chosen": "Chosen",
    "labelled": "Labelled",
    "pending": "Waiting for a label",
    "skipped": "Skipped",
    "free": "Not picked yet",
    "pinned": "Always include",
    "barred": "Never pick",
}
NOTHING_DONE = ProjectState({}, {}, frozenset(), frozenset(), ())


@dataclass(frozen=True)
class Standing:
    """Everything by position in the pool.

    Attributes:
        states: (N,) bool for each key of :data:`STATES`.
        batch: (N,) int32 number of the batch, 0 for points in none.
        tags: (N,) bool for each tag, by its name.
        labels: (N,) label in words, None where there is none: what the project knows, else what the file does.
    """

    states: Mapping[str, np.ndarray]
    batch: np.ndarray
    tags: Mapping[str, np.ndarray]
    labels: np.ndarray

    def positions(self, state: str) -> tuple[int, ...]:
        """Points in a state."""
        return tuple(np.flatnonzero(self.states[state]).tolist())

    def words(self, position: int) -> list[str]:
        """How one point stands, a word each: "Chosen", "batch 2", "tag blurry"."""
        found = [title for key, title in STATES.items() if key != "free" and self.states[key][position]]
        if self.batch[position]:
            found.append(f"batch {self.batch[position]}")
        return found


def standing(
    places: Mapping[str, int], state: ProjectState, chosen: np.ndarray, known: np.ndarray | None = None
) -> Standing:
    """Work out how points stand.

    Args:
        places: id → position in the pool; other ids of the project are passed over.
        state: of the pool's project.
        chosen: (N,) bool, points of the selection that is looked at.
        known: (N,) labels of the pool's own file in words, None where a point has none; None for no labels at all.
    """
    size = len(chosen)
    masks = {
        "labelled": _mask(places, state.labels, size),
        "pending": _mask(places, state.pending, size),
        "skipped": _mask(places, state.skipped, size),
        "pinned": _mask(places, state.pinned, size),
        "barred": _mask(places, state.barred, size),
    }
    batch = np.zeros(size, np.int32)
    for item, number in state.batch_of.items():
        if item in places:
            batch[places[item]] = number
    labels = np.full(size, None, object) if known is None else known.copy()
    for item, label in state.labels.items():
        if item in places:
            labels[places[item]] = label
    tags: dict[str, np.ndarray] = {}
    for item, names in state.tags.items():
        for name in names:
            if item in places:
                tags.setdefault(name, np.zeros(size, bool))[places[item]] = True
    states = {"chosen": chosen, **masks, "free": ~chosen & ~masks["labelled"] & (batch == 0)}
    return Standing({key: states[key] for key in STATES}, batch, dict(sorted(tags.items())), labels)


def _mask(places: Mapping[str, int], items: object, size: int) -> np.ndarray:
    found = np.zeros(size, bool)
    found[[places[item] for item in items if item in places]] = True  # type: ignore[attr-defined]
    return found

"""The methods of a comparison: their titles, and which of them see labels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from skmm_core.config import CompareJob, RunConfig

if TYPE_CHECKING:
    from skmm_core.methods import MethodSpec


@dataclass(frozen=True)
class Methods:
    """The methods of a comparison, in the order of the registry.

    Attributes:
        titles: title by key.
        label_aware: keys of those that see the pool's labels, the other league.
    """

    titles: Mapping[str, str]
    label_aware: frozenset[str] = frozenset()

    def title(self, key: str) -> str:
        """Title of a method, marked † when it is in the label-aware league."""
        return self.titles.get(key, key) + (" †" if key in self.label_aware else "")

    def present(self, table: pd.DataFrame) -> list[str]:
        """Methods of a table, in registry order; unknown ones last."""
        found = set(table["method"])
        return [key for key in self.titles if key in found] + sorted(found - set(self.titles))


def known_methods(specs: "tuple[MethodSpec, ...]") -> Methods:
    """Titles and leagues from the registry."""
    return Methods({spec.key: spec.title for spec in specs}, frozenset(spec.key for spec in specs if spec.uses_labels))


def with_readers(methods: Methods, config: RunConfig) -> Methods:
    """Move methods that read labels in this comparison to the label-aware league: within classes, or by gradients.

    In rounds nobody is in it, since all see but the labels that they asked for.
    """
    from skmm_core.methods import reads_labels

    job = config.job
    if not isinstance(job, CompareJob):
        return methods
    if job.rounds > 1:
        return replace(methods, label_aware=frozenset())
    known = [key for key in job.methods if key in methods.titles]
    readers = {key for key in known if reads_labels(key, job.params.get(key, {}), config.gradient)}
    return replace(methods, label_aware=methods.label_aware | readers)

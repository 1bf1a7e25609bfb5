"""What is known of all rows of a pool of which only some are held in memory."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class WholePool:
    """A pool of N rows, of which R are held to pick from.

    Attributes:
        size: N.
        mean: (d,) float64, of all rows.
        scatter: (d, d) float64, second moment of all rows about their mean.
        drawn: (R,) bool, held rows that are a uniform sample of all rows; sums over these stand for sums over all.
        certain: (R,) bool, held rows that are held for where they lie: those of high leverage, and those far out.
    """

    size: int
    mean: Tensor
    scatter: Tensor
    drawn: Tensor
    certain: Tensor

    @property
    def moment(self) -> Tensor:
        """(d, d) float64, second moment of all rows about the origin."""
        return self.scatter + self.mean.outer(self.mean)

    @property
    def chance(self) -> Tensor:
        """(R,) float64, how likely each held row was to be held: 1 for those that are certain."""
        share = float(self.drawn.sum()) / self.size
        return self.certain.double().clamp_min(share)

    def of(self, rows: Tensor) -> "WholePool":
        """The same pool, of which these of the held rows are held, (n,) int64."""
        return replace(self, drawn=self.drawn[rows], certain=self.certain[rows])

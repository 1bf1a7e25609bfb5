"""Columns in units of their own: whether one decides every distance, and bringing them all to equal spread."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Features of networks spread their variance over hundreds of columns, principal directions of them over more than five;
# tables in mixed units over one or two.
_MOST_DECIDING = 3.0
_LEAST_RATIO = 10.0
# Wider data is of networks or pixels, whose faint columns are noise more often than facts.
_WIDEST_TABLE = 50
_FARTHEST = 3.0
_THIN = 256
_START = "Columns differ widely in spread: "
SCALED = "Columns were scaled to mean 0 and standard deviation 1, by those of the pool."


def spread_note(pool: "Tensor", names: Sequence[str]) -> str | None:
    """Say so when very few columns, or none, decide all distances between the rows of a pool.

    The number of columns that decide is that of equal variances with the same concentration, (Σ v)² / Σ v², over the
    columns that vary. Below 3, with standard deviations at least 10 times apart, the columns hardly share a unit.

    Args:
        pool: (N, d) rows.
        names: d names of the columns, or none.
    """
    import torch

    from skmm_core.data.scaler import fit_scaler, row_blocks

    # Blocks that stay in the cache, too small for torch to share them among threads, whose waiting costs more than the
    # sums; and this runs while the rows may take up most of the memory.
    scale = fit_scaler(pool, blocks=row_blocks(pool, _THIN * pool.shape[1])).scale.cpu().double()
    variance = torch.where(torch.isfinite(scale), scale.square(), 0.0)
    varying = variance[variance > 0]
    if not len(varying):
        return "All rows of the pool hold the same numbers, so nothing tells them apart." if len(pool) > 1 else None
    if not _few_decide(varying):
        return None
    ratio = float((varying.max() / varying.min()).sqrt())
    widest = int(variance.argmax())
    name = f"{names[widest]!r}" if names else str(widest)
    share = 100 * float(varying.max() / varying.sum())
    told = f"{share:.0f}" if share < 99.5 else "more than 99"  # the others vary too
    times = float(f"{ratio:.3g}")
    return (
        f"{_START}column {name} alone makes up {told} % of all variance, and spreads {times:,.0f} times as far "
        "as the narrowest. Distances, the map, coverage and bias hardly see the others; unless all share one "
        "unit, scale the columns (an option in Data; --scale-columns)."
    )


def _few_decide(variance: "Tensor") -> bool:
    """Whether very few of the columns with these variances, none of them 0, decide all distances."""
    deciding = float(variance.sum().square() / variance.square().sum())
    return deciding < _MOST_DECIDING and float((variance.max() / variance.min()).sqrt()) >= _LEAST_RATIO


def in_one_unit(rows: "Tensor") -> "Tensor":
    """Bring the columns of a table to equal spread, where they hardly share a unit; other rows stay as they are.

    A table has at most 50 columns. They hardly share a unit when very few decide all distances, see
    :func:`spread_note`, or when the standard deviations of those that vary are 10 times apart from the first to the
    last decile, on a logarithmic scale. Each value then counts in standard deviations from the mean of its column, at
    most 3 of them: after that, a straggler would decide as much as a wide column did before.

    Args:
        rows: (N, d).

    Returns:
        (N, d) in the dtype of the rows, or the rows themselves.
    """
    import torch

    from skmm_core.data.scaler import fit_scaler

    if rows.shape[1] > _WIDEST_TABLE:
        return rows
    scaler = fit_scaler(rows)
    spread = scaler.scale[torch.isfinite(scaler.scale)]
    if not len(spread):
        return rows
    relative = spread / spread.max()  # squares of huge or tiny numbers leave the range
    first, last = torch.quantile(relative.log(), relative.new_tensor([0.1, 0.9])).exp().tolist()
    if not _few_decide(relative.square()) and last < _LEAST_RATIO * first:
        return rows
    return scaler.copy(rows).clamp_(-_FARTHEST, _FARTHEST)


def spread_notes(notes: Iterable[str]) -> tuple[str, ...]:
    """Those of a dataset's or a run's notes that say so."""
    return tuple(note for note in notes if note.startswith(_START))


def equal_spread(features: "Tensor", pool: "Tensor") -> "Tensor":
    """(R, d) rows with every column at mean 0 and standard deviation 1 over the rows `pool`; constant ones are 0."""
    from skmm_core.data.scaler import fit_scaler

    return fit_scaler(features[pool]).copy(features)

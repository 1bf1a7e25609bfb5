"""Which rows of a pool that memory cannot hold are held to pick from: a uniform sample, and those that lie far out.

Two passes: one adds up the moments of all rows, one finds how far out each row lies. What was found is kept by what the
files hold, so that a second run reads them once, and a run that was killed goes on.
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from skmm_core.blocks import HERE, Checkpoint, Workers
from skmm_core.data.row_stream import RowStream
from skmm_core.data.whole_pool import WholePool
from skmm_core.device import generator
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report
from skmm_core.storage import file_hash, home

_VERSION = 1  # of what is kept of the passes, and of how rows are read
_HELD_NUMBERS = 2**26  # 256 MB in float32
_FEWEST, _MOST = 20_000, 131_072
_FAR = 8  # one in so many by leverage, and as many by distance from the mean
_ROUNDING = 4.0  # in ε of the rows: fainter directions may be rounding, and say nothing of leverage


@dataclass(frozen=True)
class Candidates:
    """Rows to hold.

    Attributes:
        rows: (R,) int64 rows of the files, ascending.
        whole: of the pool, its masks in the order of the rows.
        digest: of what the files hold.
        bad: rows with NaN or infinite numbers, which are in no sum and are not held.
    """

    rows: np.ndarray
    whole: WholePool
    digest: str
    bad: int


def held_count(count: int, width: int, asked: int | None) -> int:
    """How many rows of a large pool are held: as many as fit in 256 MB, at least 20,000 and at most 131,072."""
    return min(count, asked or min(_MOST, max(_FEWEST, _HELD_NUMBERS // width)))


def find_candidates(
    stream: RowStream,
    paths: list[Path],
    held: int,
    *,
    read_as: str = "",
    drop: bool,
    workers: Workers = HERE,
    report: Report,
) -> Candidates:
    """Pass over all rows, and decide which are held.

    Args:
        stream: of all rows.
        paths: files that it reads.
        held: how many.
        read_as: what else decides what the rows are, such as the columns that were asked for.
        drop: leave out rows with NaN or infinite numbers instead of refusing them.
        workers: who reads the rows.
        report: told of both passes; may raise Cancelled.

    Raises:
        InputError: there are bad rows and `drop` is off, or two files hold the same.
    """
    digest = _digest(paths, f"{_VERSION}:{stream.shape}:{read_as}", report)
    folder = home() / "cache" / "passes"
    count = stream.shape[0]
    kept = Checkpoint(folder / f"{digest[:32]}-moments.npz")
    centre = next(stream.read(stream.pieces()[0])).double().nan_to_num(0, 0, 0).median(dim=0).values
    seen, first, second = stream.sum(
        partial(_sums, centre),
        phase=f"Adding up {stream.where}",
        checkpoint=kept,
        workers=workers,
        report=report,
    )
    good = int(seen)
    if good < count:
        _refuse_bad(stream, count - good, drop)
    about = first / good
    scatter = second / good - about.outer(about)
    mean = centre + about
    found = Checkpoint(folder / f"{digest[:32]}-{held}-{count}.npz")
    done, parts = found.load()
    if done != count:
        parts = _choose(stream, mean, scatter, min(held, good), workers, report)
        found.keep(count, parts, last=True)
    rows, drawn, certain = parts
    return Candidates(rows.numpy(), WholePool(good, mean, scatter, drawn, certain), digest, count - good)


def _digest(paths: list[Path], read_as: str, report: Report) -> str:
    seen: dict[str, Path] = {}
    for index, path in enumerate(paths):
        report(Progress("Fingerprinting", index, len(paths)))
        found = file_hash(path)
        if found in seen:
            raise InputError(f"{path.name} holds the same bytes as {seen[found].name}; take one of the two away")
        seen[found] = path
    return hashlib.sha256(":".join([*seen, read_as]).encode()).hexdigest()


def _sums(centre: Tensor, block: Tensor) -> tuple[Tensor, ...]:
    """Count, sum and products of the finite rows about a centre, in float64."""
    rows = block[torch.isfinite(block).all(dim=1)].double() - centre
    return torch.tensor(len(rows)), rows.sum(dim=0), rows.T @ rows


def _refuse_bad(stream: RowStream, bad: int, drop: bool) -> None:
    if drop:
        return
    finite = stream.map(lambda block: torch.isfinite(block).all(dim=1), phase="Finding bad rows")
    rows = ", ".join(str(row) for row in (~finite).nonzero().squeeze(1)[:5].tolist())
    raise InputError(
        f"{stream.where}: {bad:,} of {stream.shape[0]:,} rows hold NaN or infinite numbers (first rows, from 0: "
        f"{rows}); correct them, or leave them out by dropping bad rows (--drop-bad-rows)"
    )


def _choose(
    stream: RowStream, mean: Tensor, scatter: Tensor, held: int, workers: Workers, report: Report
) -> tuple[Tensor, ...]:
    """Rows to hold, ascending, which of them are drawn, and which are certain."""
    count = stream.shape[0]
    energy, directions = torch.linalg.eigh(scatter + mean.outer(mean))
    clear = energy > (_ROUNDING * torch.finfo(torch.float32).eps) ** 2 * energy.sum()
    turn = (directions[:, clear] * energy[clear].rsqrt()).float()
    middle = mean.float()

    def far(block: Tensor) -> Tensor:
        apart = [(block @ turn).square().sum(dim=1), (block - middle).square().sum(dim=1)]
        return torch.stack(apart, dim=1).nan_to_num(-1, -1, -1)  # bad rows are never held

    phase = f"Finding the rows of {stream.where} that lie far out"
    reach = stream.map(far, phase=phase, workers=workers, report=report)
    usable = (reach >= 0).all(dim=1)
    certain = torch.zeros(count, dtype=torch.bool)
    for column in reach.unbind(dim=1):
        certain[column.topk(held // _FAR).indices] = True
    order = torch.randperm(count, generator=generator(0, "candidates"))
    order = order[usable[order]]
    drawn = torch.zeros(count, dtype=torch.bool)
    drawn[order[: held - 2 * (held // _FAR)]] = True
    certain &= usable
    rows = (drawn | certain).nonzero().squeeze(1)
    return rows, drawn[rows], certain[rows]

"""Training dynamics of a linear softmax head: how hard every row of the pool is to learn, and to keep."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from skmm_core.data import Scaler, row_blocks
from skmm_core.device import generator, widest
from skmm_core.progress import Progress, Report, ignore

INITS = 5
EPOCHS = 10
_STEPS_AN_EPOCH = 64
_LARGEST_BATCH = 256


@dataclass(frozen=True)
class Dynamics:
    """Scores of every row, averaged over the initial heads, in the dtype of the features.

    Attributes:
        el2n: (N,) mean over epochs of ‖p - y‖ (Paul, Ganguli & Dziugaite, 2021).
        grand: (N,) mean over epochs of the norm of the row's own loss gradient in weights and intercept,
            ‖p - y‖ · ‖[x; 1]‖ for standardised x (same paper).
        forgetting: (N,) number of times that the row was predicted rightly after one epoch and wrongly after
            the next (Toneva et al., 2019); a row that was never right counts as the maximum, `epochs`.
        margin: (N,) mean over epochs of the probability of the row's class minus the largest of another, -1..1: the
            area under the margin (Pleiss et al., 2020), of probabilities as Zheng et al. (2023) take it; hard rows have
            a small one.
        epochs: passes over the pool.
    """

    el2n: Tensor
    grand: Tensor
    forgetting: Tensor
    margin: Tensor
    epochs: int


def training_dynamics(
    features: Tensor,
    labels: Tensor,
    scaler: Scaler,
    *,
    inits: int = INITS,
    epochs: int = EPOCHS,
    seed: int,
    report: Report = ignore,
) -> Dynamics:
    """Train linear heads on the whole pool by mini-batch SGD and watch every row after every epoch.

    Several heads start at different weights, N(0, 1/d), and see the same batches, so that one product serves all. The
    step is 2 / mean ‖[x; 1]‖², stable since the loss of one row curves by at most ½‖[x; 1]‖². An epoch has at least 64
    steps where N allows. Heads are trained in the precision of the features. O(epochs · N · d · K · inits) time,
    O(N · inits) memory beyond one standardised copy of the features.

    Args:
        features: (N, d) rows.
        labels: (N,) int64, 0..K-1, all K classes present.
        scaler: of the pool.
        inits: number of heads.
        epochs: passes over the pool.
        seed: of the initial weights and of the order of the rows.
        report: told of every step.
    """
    size, dims = features.shape
    classes = int(labels.max()) + 1
    draw = generator(seed, "dynamics")
    start = torch.randn(dims, inits * classes, generator=draw, dtype=torch.float64) / math.sqrt(dims)
    rows = scaler.copy(features)
    heads = _Heads(start.to(rows), torch.zeros_like(start[0]).to(rows), classes)
    step = 2 / (1 + scaler.varying)
    batch = min(_LARGEST_BATCH, max(1, size // _STEPS_AN_EPOCH))
    watch = _Watch(rows, inits)
    steps = -(-size // batch)
    for epoch in range(epochs):
        order = torch.randperm(size, generator=draw).to(features.device)
        for done, part in enumerate(order.split(batch)):
            heads.descend(rows[part], labels[part], step)
            report(Progress("Training heads on the pool", epoch * steps + done, epochs * steps))
        watch.look(heads, rows, labels)
    events = watch.events.masked_fill(watch.ever.logical_not(), epochs)
    el2n = watch.error / (epochs * inits)
    norms = (1 + rows.square().sum(dim=1)).sqrt()
    margin = watch.margin / (epochs * inits)
    return Dynamics(el2n.to(rows), (el2n * norms).to(rows), events.to(rows).mean(dim=1), margin.to(rows), epochs)


class _Heads:
    """Linear heads side by side: (d, inits · K) weights and (inits · K,) intercepts."""

    def __init__(self, weights: Tensor, bias: Tensor, classes: int) -> None:
        self._weights, self._bias, self._classes = weights, bias, classes

    @property
    def width(self) -> int:
        """Numbers that the heads say of a row."""
        return len(self._bias)

    def residuals(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """(n, inits, K) p - y of standardised rows, and (n, inits) whether the prediction is right."""
        logits = (rows @ self._weights + self._bias).view(len(rows), -1, self._classes)
        found = logits.softmax(dim=2)
        found[torch.arange(len(rows), device=rows.device), :, labels] -= 1
        return found, logits.argmax(dim=2) == labels[:, None]

    def descend(self, rows: Tensor, labels: Tensor, step: float) -> None:
        """One gradient step on the mean loss of the rows."""
        gradient = self.residuals(rows, labels)[0].flatten(1) * (step / len(rows))
        self._weights -= rows.T @ gradient
        self._bias -= gradient.sum(dim=0)


class _Watch:
    """Sums over epochs of what is seen of every row."""

    def __init__(self, rows: Tensor, inits: int) -> None:
        size, device = len(rows), rows.device
        self.error = torch.zeros(size, dtype=widest(device), device=device)
        self.margin = torch.zeros_like(self.error)
        self.events = torch.zeros(size, inits, dtype=torch.int64, device=device)
        self.ever = torch.zeros(size, inits, dtype=torch.bool, device=device)
        self._right = torch.zeros_like(self.ever)

    def look(self, heads: _Heads, rows: Tensor, labels: Tensor) -> None:
        """Add one epoch."""
        first = 0
        for block in row_blocks(rows, max(rows.shape[1], heads.width)):
            part = slice(first, first + len(block))
            residuals, right = heads.residuals(block, labels[part])
            self.error[part] += residuals.norm(dim=2).sum(dim=1)
            self.margin[part] += _margins(residuals, labels[part]).sum(dim=1)
            self.events[part] += self._right[part] & ~right
            self.ever[part] |= right
            self._right[part] = right
            first += len(block)


def _margins(residuals: Tensor, labels: Tensor) -> Tensor:
    """(n, inits) probability of the own class minus the largest of another, of which a single class has none."""
    own = labels[:, None, None].expand(-1, residuals.shape[1], 1)
    return residuals.gather(2, own).squeeze(2) + 1 - residuals.scatter(2, own, 0.0).amax(dim=2)

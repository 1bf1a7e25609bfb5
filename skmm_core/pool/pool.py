"""The pool of a run: the rows to pick from, with everything that methods share computed once."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from skmm_core.config import GradientParams, SketchParams
from skmm_core.data import (
    Given,
    KnownTargets,
    Scaler,
    Task,
    WholePool,
    fit_scaler,
    make_given,
    nothing_given,
)
from skmm_core.errors import InputError
from skmm_core.gradients import (
    Dynamics,
    HeadGradients,
    WarmUp,
    head_gradients,
    train_on_known,
    train_warm_up,
    training_dynamics,
)
from skmm_core.pool.bias_variance import PoolFit, fit_pool
from skmm_core.pool.cache import Kept
from skmm_core.pool.content_order import content_order
from skmm_core.progress import Report, ignore
from skmm_core.sketches import (
    Distortion,
    OuterRows,
    Rows,
    Sketch,
    draw_sketch,
    effective_dimension,
    make_sketch,
    measure_distortion,
    spectrum,
)
from skmm_core.solvers import Moments, SingularBasis, eigenbasis, gram_products, singular_basis, singular_basis_of

_DEFAULT_SKETCH = SketchParams()
_DEFAULT_GRADIENT = GradientParams()
_FIT_LIMIT = 2048
_FIT_SKETCH = 512
_SEEDLESS = ("feature_basis", "feature_products", "scaler", "order", "place")
_LABELLESS = ("sketch", "sketched", "moments", "spectrum")  # where gradients are features


@dataclass(frozen=True)
class Pool:
    """N rows that a method may pick from.

    A method sees :attr:`ordered`, the same rows in an order of their own. What is computed of single rows is computed
    there and put into the order of the file here.

    Attributes:
        features: (N, d) float32 or float64, finite, on the device that computes.
        targets: (N,) int64 classes, floating values, or None when not every row has one.
        known: targets of the rows that have one where some have and others have not, else None.
        task: what the targets ask for.
        n_classes: number of classes; 0 unless the task is classification.
        sketch_params: how gradients are sketched.
        seed: of the run; decides the sketch, the warm-up rows and the training dynamics.
        warm_up_rows: labelled rows that train the warm-up head; None takes min(N, max(10 · classes, 5 % of N)).
        gradient_params: what stands for a row when moments are matched.
        decided: what was decided by hand, or None; read :attr:`given`.
        in_order: whether the rows stand in the order of what they hold.
        whole: of a pool too large for memory, of which the N rows are a part: what is known of all its rows.
    """

    features: Tensor
    targets: Tensor | None = None
    task: Task = Task.UNLABELLED
    n_classes: int = 0
    sketch_params: SketchParams = _DEFAULT_SKETCH
    seed: int = 0
    report: Report = ignore
    warm_up_rows: int | None = None
    gradient_params: GradientParams = _DEFAULT_GRADIENT
    decided: Given | None = None
    in_order: bool = False
    known: KnownTargets | None = None
    whole: WholePool | None = None

    @property
    def size(self) -> int:
        """N."""
        return len(self.features)

    @property
    def some_drawn(self) -> Tensor | None:
        """(D,) int64 rows over which sums stand for sums over the pool, or None where all rows do."""
        return None if self.whole is None else self.drawn

    @property
    def drawn(self) -> Tensor:
        """(D,) int64 rows over which sums stand for sums over the pool: all, or the random ones of a large pool."""
        if self.whole is None:
            return torch.arange(self.size, device=self.features.device)
        return self.whole.drawn.nonzero().squeeze(1).to(self.features.device)

    @cached_property
    def given(self) -> Given:
        """Points that are in or out by hand; rows that are out stay part of the pool that is to be represented."""
        return self.decided or nothing_given(self.size, self.features.device)

    @cached_property
    def kept(self) -> Kept:
        """What methods computed of these rows with this seed and need again at another budget."""
        return Kept()

    def decide(self, include: Tensor, exclude: Tensor) -> "Pool":
        """The same pool, all that was computed of it included, with other decisions by hand.

        Args:
            include: (k,) int64 rows to choose in any case, first and in this order.
            exclude: (e,) int64 rows never to choose.

        Raises:
            InputError: a row is outside the pool, named twice, or both in and out.
        """
        _ = self.kept  # made now, so that both pools have the same one
        made = replace(self, decided=make_given(include, exclude, self.size, self.features.device))
        own = ("decided", "given", "ordered")
        vars(made).update({name: value for name, value in vars(self).items() if name not in own})
        if not self.in_order:
            vars(made)["ordered"] = self.ordered.decide(self.place[include], self.place[exclude])
        return made

    @cached_property
    def order(self) -> Tensor:
        """(N,) int64 rows in the order of what they hold, see :func:`content_order`; on the device of the features."""
        if self.in_order:
            return torch.arange(self.size, device=self.features.device)
        return content_order(self.features, self.targets).to(self.features.device)

    @cached_property
    def place(self) -> Tensor:
        """(N,) int64 place of every row in that order."""
        return torch.empty_like(self.order).scatter_(0, self.order, torch.arange(self.size, device=self.order.device))

    @cached_property
    def ordered(self) -> "Pool":
        """The same rows in the order of what they hold, which methods see: the order of a file then changes no pick."""
        if self.in_order:
            return self
        targets = None if self.targets is None else self.targets[self.order]
        known = None if self.known is None else self.known.of(self.order)
        made = replace(
            self,
            features=self.features[self.order],
            targets=targets,
            known=known,
            decided=None,
            in_order=True,
            whole=self.whole and self.whole.of(self.order.cpu()),
        )
        # a part of a pool has these from the whole
        for name in ("gradients", "sketched"):
            if name in vars(self):
                vars(made)[name] = vars(self)[name][self.order]
        if "sketch" in vars(self):
            vars(made)["sketch"] = self.sketch
        return made.decide(self.place[self.given.start], self._kept_out()) if self.given.any else made

    def _kept_out(self) -> Tensor:
        out = ~self.given.free
        out[self.given.start] = False
        return self.place[out.nonzero().squeeze(1)]

    @cached_property
    def gradients(self) -> Rows:
        """(N, r) per-sample gradients: the features themselves, or the factors of those of a head's loss."""
        if self.gradient_params.kind == "features":
            return self.features
        return self.head.rows if self.in_order else self.ordered.gradients[self.place]

    @cached_property
    def head(self) -> HeadGradients:
        """Gradients of a linear head's loss, and which labels they read."""
        if not self.in_order:
            found = self.ordered.head
            return replace(found, features=found.features[self.place], residuals=found.residuals[self.place])
        shares = self.gradient_params.warm_up is None and self.task is Task.CLASSIFICATION
        return head_gradients(
            self.features,
            self.targets,
            self.task,
            self.gradient_params,
            scaler=self.scaler,
            warm_up=self.warm_up if shares else None,
            known=self.known,
            seed=self.seed,
            report=self.report,
        )

    @property
    def labels_read(self) -> int:
        """Rows whose labels went into the gradients."""
        return 0 if self.gradient_params.kind == "features" else self.head.labels_read

    @cached_property
    def dense_gradients(self) -> Tensor:
        """(N, r) gradients written out, or the (N, m) sketched ones where those of a head have r > 2048."""
        if not isinstance(self.gradients, OuterRows):
            return self.gradients
        return self.gradients.dense() if self.gradients.shape[1] <= _FIT_LIMIT else self.sketched

    @cached_property
    def sketch(self) -> Sketch:
        """The one map Γ of this run."""
        if not self.in_order:
            return self.ordered.sketch
        return make_sketch(self.sketch_params, self.gradients, seed=self.seed, eigenvalues=lambda: self.spectrum)

    @cached_property
    def sketched(self) -> Tensor:
        """(N, m) sketched gradients G̃ = GΓ."""
        if self.in_order or self.sketch.kind == "none":  # which copies nothing
            return self.sketch(self.gradients, report=self.report)
        return self.sketched_rows(torch.arange(self.size))

    def sketched_rows(self, indices: Tensor) -> Tensor:
        """(n, m) sketched gradients of (n,) rows, without those of all others."""
        return self.ordered.sketched[self.place[indices.to(self.place.device)]]

    def subset(self, rows: Tensor) -> "Pool":
        """The pool of some of the rows, seen through the same sketch.

        Args:
            rows: (n,) int64 rows of this pool, ascending.
        """
        targets = None if self.targets is None else self.targets[rows]
        known = None if self.known is None else self.known.of(rows)
        part = replace(
            self,
            features=self.features[rows],
            targets=targets,
            known=known,
            decided=self.given.of(rows),
            whole=self.whole and self.whole.of(rows.cpu()),
        )
        vars(part).update(gradients=self.gradients[rows], sketch=self.sketch, sketched=self.sketched[rows])
        return part

    def reseeded(self, seed: int, *, sketch: SketchParams | None = None, report: Report | None = None) -> "Pool":
        """The same rows with another sketch; what depends on no seed is kept.

        Args:
            seed: of the new sketch, warm-up head and training dynamics.
            sketch: how gradients are sketched now; None as before.
            report: told of what is computed from now on; None as before.
        """
        part = replace(self, seed=seed, sketch_params=sketch or self.sketch_params, report=report or self.report)
        vars(part).update({name: vars(self)[name] for name in _SEEDLESS if name in vars(self)})
        if "ordered" in vars(self):
            vars(part)["ordered"] = self.ordered.reseeded(seed, sketch=sketch, report=report)
        return part

    def knowing(self, known: KnownTargets, *, report: Report) -> "Pool":
        """The same rows, of which these alone have a label, with all that was computed without one.

        Args:
            known: of rows of this pool, which has no targets and matches moments of features.
            report: told of what is computed from now on.
        """
        made = replace(self, known=known, task=known.task, n_classes=len(known.class_names), report=report)
        vars(made).update({name: vars(self)[name] for name in (*_SEEDLESS, *_LABELLESS) if name in vars(self)})
        if "ordered" in vars(self) and (placed := known.of(self.order)) is not None:
            vars(made)["ordered"] = self.ordered.knowing(placed, report=report)
        return made

    @cached_property
    def feature_basis(self) -> SingularBasis:
        """Singular values of the features, and singular vectors on their shorter side."""
        if self.whole is not None:
            return singular_basis_of(self.whole.moment, self.whole.size)
        return singular_basis(self.features)

    @cached_property
    def feature_products(self) -> Tensor:
        """(N, N) XXᵀ of the features X, float64 on the CPU; for small pools alone."""
        return gram_products(self.features)

    @cached_property
    def moments(self) -> Moments:
        """Eigenbasis of the sketched second moment, and the pool in it."""
        if not self.in_order:
            found = self.ordered.moments
            return replace(found, coordinates=found.coordinates[self.place])
        return eigenbasis(self.sketched, given=self.sketched is self.features, whole=self._sketched_moment)

    @property
    def whole_in_sketch(self) -> tuple[Tensor, Tensor] | None:
        """(m,) mean and (m, m) second moment of all rows of a large pool in the sketch, float64; None of others."""
        if self.whole is None or (moment := self._sketched_moment) is None:
            return None
        return self.sketch(self.whole.mean[None]).squeeze(0), moment[0]

    @property
    def _sketched_moment(self) -> tuple[Tensor, int] | None:
        """(m, m) second moment of all rows of a large pool in the sketch, and how many they are."""
        if self.whole is None:
            return None
        half = self.sketch(self.whole.moment)  # the moment is symmetric, so both sides are mapped alike
        return self.sketch(half.T.contiguous()), self.whole.size

    @cached_property
    def spectrum(self) -> Tensor:
        """Eigenvalues of the unsketched second moment GᵀG/N, float64, descending."""
        if self.whole is not None:
            energies: Tensor = torch.linalg.eigvalsh(self.whole.moment)
            return energies.flip(0).clamp_min(0)
        return spectrum(self.gradients) if self.in_order else self.ordered.spectrum

    @cached_property
    def effective_dimension(self) -> float:
        """Number of directions that carry the energy of the unsketched gradients."""
        return effective_dimension(self.spectrum)

    @cached_property
    def distortion(self) -> Distortion | None:
        """How far the sketch bends distances of random pairs; None without a sketch."""
        if not self.in_order:
            return self.ordered.distortion
        return measure_distortion(self.gradients, self.sketched, self.sketch, seed=self.seed)

    @cached_property
    def fit_rows(self) -> Tensor:
        """(N, d) features, or a sketch of them where d > 2048: what the linear probe of diagnostics sees."""
        if self.features.shape[1] <= _FIT_LIMIT:
            return self.features
        if self.gradient_params.kind == "features":
            return self.sketched
        # a head's gradients hold the labels, so the probe, which is to predict those, must not see them
        return draw_sketch("gaussian", self.features.shape[1], _FIT_SKETCH, seed=self.seed)(self.features)

    @cached_property
    def fit(self) -> PoolFit:
        """Second moment of :attr:`fit_rows` and the ridge fit on all targets, against which selections are measured."""
        if self.whole is not None:  # the random rows stand for all of them, but for the moments, which are known
            exact = PoolFit(self.whole.moment, mean=self.whole.mean)
            if self.targets is None and self.fit_rows is self.features:
                return exact
            targets = None if self.targets is None else self.targets[self.drawn]
            fit = fit_pool(self.fit_rows[self.drawn], targets, self.task, self.n_classes)
            return replace(fit, moment=exact.moment, mean=exact.mean) if self.fit_rows is self.features else fit
        known = self.feature_basis if self.targets is not None and self.fit_rows is self.features else None
        return fit_pool(self.fit_rows, self.targets, self.task, self.n_classes, basis=known)

    @cached_property
    def scaler(self) -> Scaler:
        """Mean and standard deviation of every column of the features."""
        return fit_scaler(self.features if self.whole is None else self.features[self.drawn])

    @cached_property
    def warm_up(self) -> WarmUp:
        """A linear head trained on a small stratified part of the pool, and its answer for every row.

        Where only some rows have a label, it is trained on exactly these.
        """
        if not self.in_order:
            return _in_file_order(self.ordered.warm_up, self.order, self.place)
        if self.known is not None and self.known.task is Task.CLASSIFICATION:
            return train_on_known(self.features, self.known, self.scaler, report=self.report)
        return train_warm_up(
            self.features,
            self._classes(),
            self.scaler,
            size=self.warm_up_rows,
            seed=self.seed,
            report=self.report,
        )

    @cached_property
    def dynamics(self) -> Dynamics:
        """How hard every row is while linear heads learn the whole pool."""
        if not self.in_order:
            found = self.ordered.dynamics
            scores = (found.el2n, found.grand, found.forgetting, found.margin)
            el2n, grand, forgetting, margin = (each[self.place] for each in scores)
            return Dynamics(el2n, grand, forgetting, margin, found.epochs)
        labels = self._classes().unique(return_inverse=True)[1]
        return training_dynamics(self.features, labels, self.scaler, seed=self.seed, report=self.report)

    def _classes(self) -> Tensor:
        if self.task is not Task.CLASSIFICATION or self.targets is None:
            raise InputError("a head needs class labels, which this pool lacks; add labels or take another method")
        return self.targets


def _in_file_order(found: WarmUp, order: Tensor, place: Tensor) -> WarmUp:
    rows, held_out = (order[part].sort().values for part in (found.rows, found.held_out))
    return replace(found, rows=rows, held_out=held_out, labels=found.labels[place], logits=found.logits[place])

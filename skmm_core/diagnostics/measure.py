"""Measure a selection: moments in the sketch, the fit that it allows, coverage, balance.

torch is imported only to compute, so that a page can name this module before torch is there.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skmm_core.diagnostics.record import Diagnostics
from skmm_core.diagnostics.wording import certificate_text
from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.pool import Pool

_BLOCK_NUMBERS = 8_000_000  # of one block of distances
_PHASE = "Measuring the selection"


def diagnose(
    pool: "Pool",
    indices: "Tensor",
    weights: "Tensor | None" = None,
    *,
    c_s: float = 1.0,
    report: Report = ignore,
) -> Diagnostics:
    """Measure a selection.

    Of a pool too large for memory, moments are those of all its rows, and means over rows are over the random ones of
    those held. What belongs to the pool alone is computed once and kept by the pool, so the prefixes of a pick order
    are cheap.

    Args:
        pool: the pool.
        indices: (n,) int64 distinct rows of the pool.
        weights: (n,) positive, or None for equal weights; scaled to sum 1.
        c_s: in (0, 1], what the method was asked for; enters moment_objective only.
        report: told of the stages.

    Raises:
        InputError: indices are empty or outside the pool.
    """
    import torch

    indices = indices.cpu()
    if not len(indices) or int(indices.min()) < 0 or int(indices.max()) >= pool.size:
        raise InputError(f"a selection needs at least one row within 0..{pool.size - 1}")
    shares = torch.ones(len(indices), dtype=torch.float64) if weights is None else weights.cpu().double()
    shares = shares / shares.sum()
    report(Progress(_PHASE, 0, 4))
    measured = _moments(pool, indices, shares, c_s)
    report(Progress(_PHASE, 1, 4))
    measured |= _fit(pool, indices)
    report(Progress(_PHASE, 2, 4))
    measured |= _coverage(pool, indices, report)
    report(Progress(_PHASE, 3, 4))
    measured |= _balance(pool, indices)
    if pool.distortion is not None:
        measured |= {f"distortion_{name}": value for name, value in pool.distortion.__dict__.items()}
    rows = pool.features[indices.to(pool.features.device)].cpu().numpy() + 0.0  # -0.0 equals 0.0
    report(Progress(_PHASE, 4, 4))
    return Diagnostics(
        n=len(indices),
        N=pool.size,
        effective_dim=pool.effective_dimension,
        duplicates=len(rows) - len({row.tobytes() for row in rows}),
        effective_weights=float(1 / shares.square().sum()),
        **measured,
    )


def asked_c_s(objective: Mapping[str, Any] | None, params: Mapping[str, Any] | None) -> float:
    """The c_S that a selection was made for, for :func:`diagnose`: what it found by itself, else what it was told.

    Args:
        objective: of the selection.
        params: of its method; one that has no c_S asks for equal moments, which is 1.
    """
    found = (objective or {}).get("c_s", (params or {}).get("c_s"))
    return float(found) if isinstance(found, int | float) else 1.0


def _moments(pool: "Pool", indices: "Tensor", weights: "Tensor", c_s: float) -> dict[str, Any]:
    """Everything about the second moment of the sketch."""
    from skmm_core.solvers import certificate, moment_error, shortfall_objective, trace_score, whitened_moment

    moments = pool.moments
    whitened = whitened_moment(moments, pool.sketched_rows(indices), weights)
    achieved = moments.eigenvalues * whitened.diagonal()
    bound = certificate(whitened)
    k = len(moments.eigenvalues)
    scaled = moments.coordinates / moments.eigenvalues.sqrt().to(moments.coordinates)
    return {
        "m": pool.sketch.dim,
        "c_s": bound,
        "certificate_text": certificate_text(bound, len(indices), k, pool.sketch.dim),
        "trace_score": trace_score(whitened),
        "trace_score_floor": k,
        "moment_error": moment_error(moments, whitened) if k else 0.0,
        "moment_objective": shortfall_objective(achieved, moments.eigenvalues, c_s),
        "spectrum_pool": moments.eigenvalues.numpy(),
        "spectrum_selection": achieved.numpy(),
        "leverage": (scaled.square().sum(dim=1) / moments.size).float().cpu().numpy(),
    }


def _fit(pool: "Pool", indices: "Tensor") -> dict[str, Any]:
    """The curve over the rank and the exact ridge risk."""
    from skmm_core.pool import curve_weights, represented, ridge_risk, risk_curve, selection_basis

    chosen = pool.fit_rows[indices.to(pool.features.device)]
    fit = pool.fit
    basis = selection_basis(chosen, fit)
    curve, (bias_weight, variance_weight) = risk_curve(basis, fit), curve_weights(fit)
    best = int((bias_weight * curve.bias + variance_weight * curve.variance).argmin())
    risk = ridge_risk(basis, chosen, fit)
    return {
        "bias": float(curve.bias[best]),
        "variance": float(curve.variance[best]),
        "rank": int(curve.ranks[best]),
        "represented": represented(basis, fit, int(curve.ranks[best])),
        "bias_weight": bias_weight,
        "variance_weight": variance_weight,
        "ranks": curve.ranks.numpy(),
        "bias_curve": curve.bias.numpy(),
        "variance_curve": curve.variance.numpy(),
        "ridge_bias2": None if risk is None else risk.bias2,
        "ridge_variance": None if risk is None else risk.variance,
        "ridge_alpha": None if risk is None else risk.alpha,
        "ridge_sigma2": fit.noise,
    }


def _coverage(pool: "Pool", indices: "Tensor", report: Report) -> dict[str, Any]:
    """Distance of every pool point to its nearest chosen point, block by block."""
    import torch

    features = pool.features
    chosen = features[indices.to(features.device)]
    # distances do not change, but lose less to rounding near the origin; a mean would follow a single row far out
    centre = chosen.median(dim=0).values
    anchors = chosen - centre
    half_norms = anchors.square().sum(dim=1) / 2
    distance = torch.empty(len(features), dtype=features.dtype, device=features.device)
    step = max(1, _BLOCK_NUMBERS // (len(indices) + features.shape[1]))
    for start in range(0, len(features), step):
        report(Progress(_PHASE, 2, 4))
        block = features[start : start + step]
        nearest = torch.addmm(half_norms, block - centre, anchors.T, alpha=-1).argmin(dim=1)
        distance[start : start + step] = (block - chosen[nearest]).norm(dim=1)
    distance[indices.to(features.device)] = 0
    return {
        "distance": distance.float().cpu().numpy(),
        "coverage_radius": float(distance.max()),
        "coverage_mean": _mean_over_pool(pool, distance, indices),
    }


def _mean_over_pool(pool: "Pool", distance: "Tensor", indices: "Tensor") -> float:
    """Mean of distances that are 0 at the chosen rows; of a large pool from its random rows that are not chosen."""
    from skmm_core.device import widest

    distance = distance.to(widest(distance.device))
    if pool.whole is None:
        return float(distance.mean())
    others = pool.whole.drawn.clone()
    others[indices] = False
    share = 1 - len(indices) / pool.whole.size
    return float(distance[others.to(distance.device)].mean()) * share if others.any() else 0.0


def _balance(pool: "Pool", indices: "Tensor") -> dict[str, Any]:
    """Class counts of pool and selection, and how far their shares are apart."""
    import torch

    from skmm_core.data import Task

    if pool.task is not Task.CLASSIFICATION or pool.targets is None:
        return {"class_tv": None, "class_counts_pool": None, "class_counts_selection": None}
    labels = pool.targets.cpu()
    whole = torch.bincount(labels[pool.drawn.cpu()], minlength=pool.n_classes)
    part = torch.bincount(labels[indices], minlength=pool.n_classes)
    gap = (whole.double() / whole.sum() - part.double() / part.sum()).abs().sum() / 2
    return {"class_tv": float(gap), "class_counts_pool": whole.numpy(), "class_counts_selection": part.numpy()}

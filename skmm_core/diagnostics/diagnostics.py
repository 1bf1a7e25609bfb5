"""What a person looks at to judge a selection: everything that is measured, in one object that can be saved.

The numbers are NumPy's and torch is imported only to compute them, so that a page can read an old run before torch is
there.
"""

import io
import math
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from skmm_core.errors import InputError
from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches.distortion import Distortion

if TYPE_CHECKING:
    from torch import Tensor

    from skmm_core.pool.pool import Pool

_BLOCK_NUMBERS = 8_000_000  # of one block of distances
_PHASE = "Measuring the selection"
_ARRAYS = {"class_counts_pool", "class_counts_selection", "distortion_ratios"}  # also where they are None
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnostics:
    """Measurements of one selection; see methods.md, section 4, for the definitions.

    The moments of the sketch (certificate to moment_objective, spectra) use the selection's weights. The curve, its
    minimum and the ridge risk describe a fit with equal weights on the features, as the probe does it; with more than
    2048 columns, on a sketch of them.

    Attributes:
        n, N, m: chosen points, points in the pool, sketch dimension.
        bias: share of the pool's energy that the selection cannot see, at the effective rank; 0..1.
        variance: mean prediction variance per unit of noise there; rank / n when moments match exactly.
        rank: effective rank: minimiser of bias_weight · bias(k) + variance_weight · variance(k).
        bias_weight, variance_weight: ‖θ‖² tr(Σ) and σ² in shares of the targets' variance, from a ridge fit on the
            whole pool; (1, 1) without targets (as much noise as signal).
        effective_dim: number of directions that carry the pool's energy.
        c_s: certificate, the smallest c with Σ̃ ⪯ c Σ̃_S; ∞ when a direction is unseen.
        certificate_text: what that means, in words.
        trace_score: tr(Σ̃ Σ̃_S⁻¹); ∞ when a direction is unseen.
        trace_score_floor: its value when moments match exactly: the number of directions k.
        moment_error: ‖Σ̃_S - Σ̃‖_F / ‖Σ̃‖_F.
        moment_objective: the paper's discrete objective at the c_S that was asked for.
        coverage_radius, coverage_mean: largest and mean distance of a pool point to its nearest chosen point.
        class_tv: total variation between class shares of the selection and of the pool, 0..1; None without classes.
        duplicates: chosen rows that repeat another chosen row exactly.
        effective_weights: 1/Σw², the number of equally weighted points worth as much.
        ridge_bias2, ridge_variance, ridge_alpha, ridge_sigma2: exact fixed-design risk of the best ridge fit in
            squared target units (classes: summed over 0/1 columns), its α and the noise σ²; None without targets.
        ranks, bias_curve, variance_curve: (K,) the curve over the rank.
        spectrum_pool, spectrum_selection: (k,) λ_j and v_jᵀΣ̃_S v_j.
        leverage: (N,) float32 leverage scores of the pool in the sketch, sum k.
        distance: (N,) float32 distance to the nearest chosen point in feature space.
        class_counts_pool, class_counts_selection: (classes,) int64, or None.
        distortion_ratios to distortion_source: see :class:`~skmm_core.sketches.distortion.Distortion`; None without a
            sketch.
    """

    n: int
    N: int
    m: int
    bias: float
    variance: float
    rank: int
    bias_weight: float
    variance_weight: float
    effective_dim: float
    c_s: float
    certificate_text: str
    trace_score: float
    trace_score_floor: int
    moment_error: float
    moment_objective: float
    coverage_radius: float
    coverage_mean: float
    class_tv: float | None
    duplicates: int
    effective_weights: float
    ridge_bias2: float | None
    ridge_variance: float | None
    ridge_alpha: float | None
    ridge_sigma2: float | None
    ranks: NDArray[np.int64]
    bias_curve: Floats
    variance_curve: Floats
    spectrum_pool: Floats
    spectrum_selection: Floats
    leverage: NDArray[np.float32]
    distance: NDArray[np.float32]
    class_counts_pool: NDArray[np.int64] | None
    class_counts_selection: NDArray[np.int64] | None
    distortion_ratios: Floats | None = None
    distortion_rms: float | None = None
    distortion_rms_bound: float | None = None
    distortion_pair_low: float | None = None
    distortion_pair_high: float | None = None
    distortion_all_low: float | None = None
    distortion_all_high: float | None = None
    distortion_source: str | None = None

    @property
    def distortion(self) -> Distortion | None:
        """How far the sketch bends distances of random pairs; None without a sketch, or in a run older than this."""
        found = {spec.name: getattr(self, f"distortion_{spec.name}") for spec in fields(Distortion)}
        return None if any(value is None for value in found.values()) else Distortion(**found)

    def summary(self) -> dict[str, float | int | str | None]:
        """The single numbers and the text, safe for JSON: ∞ becomes None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self.__dict__.items()
            if not isinstance(value, np.ndarray) and name not in _ARRAYS
        }

    def save(self, path: Path) -> None:
        """Write to an npz file: to a temporary name first, so that the file is always whole."""
        buffer = io.BytesIO()
        kept = {name: np.asarray(value) for name, value in self.__dict__.items() if value is not None}
        np.savez_compressed(buffer, **kept)  # type: ignore[arg-type]
        temporary = path.with_name(path.name + ".part")
        temporary.write_bytes(buffer.getvalue())
        temporary.replace(path)


def load_diagnostics(path: Path) -> Diagnostics:
    """Read what :meth:`Diagnostics.save` wrote.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return Diagnostics(**{spec.name: _restored(spec.type, file, spec.name) for spec in fields(Diagnostics)})
    except (OSError, ValueError, KeyError, EOFError, TypeError, BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: no readable diagnostics ({type(error).__name__}); run the selection again") from None


def _restored(kind: Any, file: Any, name: str) -> Any:
    if name not in file.files:
        if isinstance(kind, UnionType) and type(None) in get_args(kind):
            return None
        raise KeyError(name)
    value = file[name]
    return value if value.ndim else value.item()


def diagnose(
    pool: "Pool",
    indices: "Tensor",
    weights: "Tensor | None" = None,
    *,
    c_s: float = 1.0,
    report: Report = ignore,
) -> Diagnostics:
    """Measure a selection.

    What belongs to the pool alone is computed once and kept by the pool, so the prefixes of a pick order are cheap.

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


def _moments(pool: "Pool", indices: "Tensor", weights: "Tensor", c_s: float) -> dict[str, Any]:
    """Everything about the second moment of the sketch."""
    from skmm_core.solvers.moments import certificate, moment_error, shortfall_objective, trace_score, whitened_moment

    moments = pool.moments
    whitened = whitened_moment(moments, indices, weights)
    achieved = moments.eigenvalues * whitened.diagonal()
    bound = certificate(whitened)
    k = len(moments.eigenvalues)
    scaled = moments.coordinates / moments.eigenvalues.sqrt().to(moments.coordinates)
    return {
        "m": pool.sketch.dim,
        "c_s": bound,
        "certificate_text": _certificate_text(bound, len(indices), k, pool.sketch.dim),
        "trace_score": trace_score(whitened),
        "trace_score_floor": k,
        "moment_error": moment_error(moments, whitened) if k else 0.0,
        "moment_objective": shortfall_objective(achieved, moments.eigenvalues, c_s),
        "spectrum_pool": moments.eigenvalues.numpy(),
        "spectrum_selection": achieved.numpy(),
        "leverage": (scaled.square().sum(dim=1) / pool.size).float().cpu().numpy(),
    }


def _certificate_text(c_s: float, n: int, k: int, m: int) -> str:
    if math.isfinite(c_s):
        # the moments leave out directions that hold a few millionths of the strongest one's energy, or less
        where = "In every direction" if k == m else f"In each of the {k} strongest of the {m} directions"
        return (
            f"{where} of the sketch the selection holds at least {100 / c_s:.3g} % of the pool's energy, "
            f"so a linear fit on it is at most {c_s:.3g} times as uncertain as one on as many matching points."
        )
    if n < k:
        return (
            f"No guarantee: a selection of {n} cannot span the {k} directions of the sketch. "
            f"Pick at least {k} points or take a smaller sketch."
        )
    return (
        "No guarantee: the selection does not see at least one direction of the sketch. "
        "Pick more points, or take a method that matches moments."
    )


def _fit(pool: "Pool", indices: "Tensor") -> dict[str, Any]:
    """The curve over the rank and the exact ridge risk."""
    from skmm_core.pool.bias_variance import curve_weights, ridge_risk, risk_curve, selection_basis

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
    centre = chosen.mean(dim=0)  # distances do not change, but lose less to rounding near the origin
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
        "coverage_mean": float(distance.double().mean() if distance.device.type != "mps" else distance.mean()),
    }


def _balance(pool: "Pool", indices: "Tensor") -> dict[str, Any]:
    """Class counts of pool and selection, and how far their shares are apart."""
    import torch

    from skmm_core.data.dataset import Task

    if pool.task is not Task.CLASSIFICATION or pool.targets is None:
        return {"class_tv": None, "class_counts_pool": None, "class_counts_selection": None}
    labels = pool.targets.cpu()
    whole = torch.bincount(labels, minlength=pool.n_classes)
    part = torch.bincount(labels[indices], minlength=pool.n_classes)
    gap = (whole.double() / whole.sum() - part.double() / part.sum()).abs().sum() / 2
    return {"class_tv": float(gap), "class_counts_pool": whole.numpy(), "class_counts_selection": part.numpy()}

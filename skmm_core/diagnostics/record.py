"""All measurements of one selection in one object, saved with the run and read again.

The numbers are NumPy's, so that a page can read an old run before torch is there.
"""

import io
import math
import zlib
from dataclasses import dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from skmm_core.errors import InputError
from skmm_core.sketches import Distortion

_ARRAYS = {
    *("class_counts_pool", "class_counts_selection", "distortion_ratios"),
    *("band_spectrum", "band_bound", "band_distance"),
}  # also where they are None
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnostics:
    """Measurements of one selection; see `assets/docs/numbers.md` for the definitions.

    The moments of the sketch (certificate to moment_objective, spectra) use the selection's weights. The curve, its
    minimum and the ridge risk describe a fit with equal weights on the features, as the probe does it; with more than
    2048 columns, on a sketch of them.

    Attributes:
        n, N, m: chosen points, points in the pool, sketch dimension.
        bias: share of the pool's energy that the selection cannot see, at the effective rank; 0..1.
        variance: mean prediction variance per unit of noise there; rank / n when moments match exactly.
        rank: effective rank: minimiser of bias_weight · bias(k) + variance_weight · variance(k).
        represented: share of the pool's variance in the directions that the selection can support, at the effective
            rank; 0..1, None where all rows are equal and in runs older than this.
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
        band_spectrum: (2, k) smallest and largest second moment of a random draw, as `spectrum_selection`.
        band_bound: (2, K) smallest and largest bound on the error of a fit on a random draw at the ranks 1..K; None
            where it was measured in a sketch.
        band_distance: (draws, levels) quantiles of the distance to the nearest point of each random draw, in equal
            steps from the smallest to the largest. All three are None where no draws were measured.
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
    represented: float | None = None
    band_spectrum: Floats | None = None
    band_bound: Floats | None = None
    band_distance: Floats | None = None

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

from .bias_variance import (
    PoolFit as PoolFit,
    curve_weights as curve_weights,
    represented as represented,
    ridge_risk as ridge_risk,
    risk_curve as risk_curve,
    selection_basis as selection_basis,
)
from .making import make_pool as make_pool, pool_of as pool_of
from .pool import Pool as Pool
from .principal_directions import (
    matched_rows as matched_rows,
    principal_map as principal_map,
    principal_rows as principal_rows,
)

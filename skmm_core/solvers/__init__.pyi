from .centring import centred_rows as centred_rows, middle as middle, rows_about_middle as rows_about_middle
from .classifier import fit_classifier as fit_classifier
from .columns_ahead import ColumnsAhead as ColumnsAhead, Outlook as Outlook
from .cover_mmd import (
    CoverAim as CoverAim,
    exchange_cover_mmd as exchange_cover_mmd,
    greedy_cover_mmd as greedy_cover_mmd,
)
from .facility_location import greedy_cover as greedy_cover
from .farthest_rows import farthest_first as farthest_first
from .held_out import content_order as content_order, judge as judge, stratified_folds as stratified_folds
from .kernels import (
    CosineSimilarity as CosineSimilarity,
    GaussianKernel as GaussianKernel,
    Kernel as Kernel,
    LabelledKernel as LabelledKernel,
    PolynomialKernel as PolynomialKernel,
    gaussian_kernel as gaussian_kernel,
    labelled_kernel as labelled_kernel,
    on_one_line as on_one_line,
    polynomial_kernel as polynomial_kernel,
    unit_rows as unit_rows,
)
from .label_spreading import SpreadFit as SpreadFit, fit_spread as fit_spread, spread_labels as spread_labels
from .linear_classifier import LinearClassifier as LinearClassifier
from .mean_embedding import kernel_mean as kernel_mean
from .mmd import (
    columns_of as columns_of,
    exchange_mmd as exchange_mmd,
    greedy_mmd as greedy_mmd,
    order_by_prefix as order_by_prefix,
    squared_mmd as squared_mmd,
)
from .moment_exchange import polish as polish
from .moments import (
    Moments as Moments,
    SingularBasis as SingularBasis,
    certificate as certificate,
    eigenbasis as eigenbasis,
    gram_products as gram_products,
    moment_error as moment_error,
    second_moment as second_moment,
    shortfall_objective as shortfall_objective,
    singular_basis as singular_basis,
    singular_basis_of as singular_basis_of,
    trace_score as trace_score,
    whitened_moment as whitened_moment,
)
from .nearest_neighbours import (
    NeighbourGraph as NeighbourGraph,
    averaging_over as averaging_over,
    neighbour_graph as neighbour_graph,
)
from .nonnegative_least_squares import nonnegative_weights as nonnegative_weights
from .random_pivoting import adaptive as adaptive, draw_rows as draw_rows
from .relaxation import Problem as Problem, Relaxed as Relaxed, solve_relaxation as solve_relaxation
from .ridge import fit_ridge as fit_ridge
from .ridge_average import AveragedRidge as AveragedRidge, average_ridge as average_ridge
from .ridge_selection import (
    PoolMoments as PoolMoments,
    RidgeFit as RidgeFit,
    exchange_fit as exchange_fit,
    greedy_fit as greedy_fit,
    pool_moments as pool_moments,
)
from .rough_kernels import rough_products as rough_products
from .scaling_pilot import pilot_errors as pilot_errors
from .simplex import (
    project_capped_simplex as project_capped_simplex,
    round_balanced as round_balanced,
    round_matched as round_matched,
    round_sample as round_sample,
    round_top as round_top,
)
from .smallest_certificate import smallest_c_s as smallest_c_s
from .threads import at_most_threads as at_most_threads
from .tie_breaking import lowest as lowest

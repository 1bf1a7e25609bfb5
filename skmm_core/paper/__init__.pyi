from .experiments import EXPERIMENTS as EXPERIMENTS, Experiment as Experiment, get_experiment as get_experiment
from .planning import plan as plan
from .run import fingerprint as fingerprint, run_paper as run_paper
from .table import (
    COVERAGE as COVERAGE,
    best_rows as best_rows,
    best_variant as best_variant,
    cells_of as cells_of,
    metrics_in as metrics_in,
    number_text as number_text,
    paper_layout as paper_layout,
    saving_summary as saving_summary,
)

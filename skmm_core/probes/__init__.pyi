from .finetuning_probe import finetune_probe as finetune_probe
from .labels_read import labels_note as labels_note, validation_rows as validation_rows
from .linear_probe import check_scorable as check_scorable, score_probe as score_probe
from .metrics import (
    METRICS as METRICS,
    Metric as Metric,
    best_of as best_of,
    primary_metric as primary_metric,
    scores_of as scores_of,
)
from .pool_learners import score_learner as score_learner

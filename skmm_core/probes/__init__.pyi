from .finetuning_probe import finetune_probe as finetune_probe
from .linear_probe import check_scorable as check_scorable, score_probe as score_probe
from .metrics import (
    METRICS as METRICS,
    Metric as Metric,
    primary_metric as primary_metric,
    scores_of as scores_of,
)

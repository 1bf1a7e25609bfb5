from .finetuning_probe import finetune_probe as finetune_probe
from .labels_read import labels_note as labels_note, validation_rows as validation_rows
from .learners import (
    AUTO as AUTO,
    FINETUNE as FINETUNE,
    LEARNERS as LEARNERS,
    LINEAR as LINEAR,
    cheap_learners as cheap_learners,
    get_learner as get_learner,
    in_order as in_order,
    learner_phrase as learner_phrase,
    learner_summary as learner_summary,
    learner_title as learner_title,
    learners_of as learners_of,
    main_learner as main_learner,
)
from .linear_probe import check_scorable as check_scorable, score_probe as score_probe
from .metrics import (
    METRICS as METRICS,
    Metric as Metric,
    best_of as best_of,
    primary_metric as primary_metric,
    scores_of as scores_of,
)
from .pool_learners import score_learner as score_learner
from .pool_scores import (
    class_scores as class_scores,
    number_scores as number_scores,
    settle as settle,
)
from .views import PoolView as PoolView, pool_view as pool_view

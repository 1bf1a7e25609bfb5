from .by_learner import (
    best_by_learner as best_by_learner,
    settled_counts as settled_counts,
    settled_sentence as settled_sentence,
    summarise_learners as summarise_learners,
    summary_table as summary_table,
    winners_sentence as winners_sentence,
)
from .cell_plan import label_aware as label_aware
from .cells import compare as compare
from .claim import FIXED as FIXED, claim_of as claim_of, few_seeds as few_seeds
from .draws import Draws as Draws, compared as compared, mean_of as mean_of
from .leagues import (
    ADVICE as ADVICE,
    STRATIFIED as STRATIFIED,
    Judged as Judged,
    against_stratified as against_stratified,
    judged as judged,
    league_savings as league_savings,
)
from .learner_savings import OTHERS as OTHERS, against_linear as against_linear
from .planner import Costs as Costs, Need as Need, Plan as Plan, needs as needs, plans as plans
from .pool_parts import parts_at as parts_at
from .rounds import (
    ROUNDS_HELP as ROUNDS_HELP,
    asks_labels_first as asks_labels_first,
    random_start as random_start,
    round_budgets as round_budgets,
    rounds_sentence as rounds_sentence,
    rounds_told as rounds_told,
)
from .savings import Relation as Relation, mean_saving as mean_saving, whole as whole
from .score_log import ScoreLog as ScoreLog, read_scores as read_scores
from .score_table import ScoreTable as ScoreTable, under_learner as under_learner
from .splits import Typical as Typical, typical_saving as typical_saving
from .statistics import LEAST_SEEDS as LEAST_SEEDS, holm as holm
from .summary import (
    REFERENCE as REFERENCE,
    SATURATED as SATURATED,
    SIGNIFICANT as SIGNIFICANT,
    Comparison as Comparison,
    Verdict as Verdict,
    summarise as summarise,
    verdict as verdict,
)

from .cells import compare as compare
from .leagues import (
    ADVICE as ADVICE,
    STRATIFIED as STRATIFIED,
    Judged as Judged,
    against_stratified as against_stratified,
    judged as judged,
    league_savings as league_savings,
)
from .planner import Costs as Costs, Need as Need, Plan as Plan, needs as needs, plans as plans
from .score_log import ScoreLog as ScoreLog, read_scores as read_scores
from .splits import Typical as Typical, typical_saving as typical_saving
from .statistics import (
    Relation as Relation,
    bootstrap_interval as bootstrap_interval,
    holm as holm,
    paired_difference as paired_difference,
    whole as whole,
)
from .summary import (
    REFERENCE as REFERENCE,
    SATURATED as SATURATED,
    SIGNIFICANT as SIGNIFICANT,
    Comparison as Comparison,
    Verdict as Verdict,
    summarise as summarise,
    verdict as verdict,
)

from .beside_given import Decided as Decided, new_points as new_points, pick_beside_given as pick_beside_given
from .registry import (
    check_partly_labelled as check_partly_labelled,
    compute_shared as compute_shared,
    get_method as get_method,
    list_methods as list_methods,
    plugin_faults as plugin_faults,
    plugin_versions as plugin_versions,
    reads_labels as reads_labels,
    register as register,
    select as select,
)
from .selection import Selection as Selection
from .spec import (
    Family as Family,
    MethodParams as MethodParams,
    MethodSpec as MethodSpec,
    Need as Need,
    Picks as Picks,
    Status as Status,
)
from .table import LEAGUE_DEFAULT as LEAGUE_DEFAULT

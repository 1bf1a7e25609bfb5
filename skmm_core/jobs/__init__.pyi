from .bundle_import import import_run as import_run
from .cancel import Stop as Stop
from .labels_of_run import read_as as read_as, with_labels_hash as with_labels_hash
from .runner import error_line as error_line, pulse as pulse, run_folder as run_folder
from .selection import pool_positions as pool_positions
from .tables import pool_table as pool_table
from .waiting_threads import let_threads_sleep as let_threads_sleep
from .worker import READY as READY

from .chosen_points import OF_FILE as OF_FILE, as_csv as as_csv
from .command import command_line as command_line
from .files import (
    CARD as CARD,
    COMPARE_STATE as COMPARE_STATE,
    CONFIG as CONFIG,
    DIAGNOSTICS as DIAGNOSTICS,
    FEATURES as FEATURES,
    LABELS_CSV as LABELS_CSV,
    LOG as LOG,
    PREDICTIONS_CSV as PREDICTIONS_CSV,
    REPORT as REPORT,
    RESULT as RESULT,
    SCORES_CSV as SCORES_CSV,
    SELECTION_CSV as SELECTION_CSV,
    SELECTION_NPY as SELECTION_NPY,
    SUMMARY_CSV as SUMMARY_CSV,
    THUMBNAILS as THUMBNAILS,
    RunCard as RunCard,
    Table as Table,
    clear_results as clear_results,
    read_card as read_card,
    read_config as read_config,
    read_result as read_result,
    read_table as read_table,
    write_config as write_config,
)
from .index import RunStore as RunStore
from .log import ProgressView as ProgressView, RunLog as RunLog, read_log as read_log, read_progress as read_progress
from .processes import ProcessKey as ProcessKey, process_key as process_key
from .record import (
    RunRecord as RunRecord,
    RunState as RunState,
    default_name as default_name,
    encoder_text as encoder_text,
    run_id as run_id,
    scored_by as scored_by,
)
from .snippet import python_lines as python_lines

from .archive import member_chunks as member_chunks
from .archive_members import Refused as Refused
from .builtin import gaussian_mixture as gaussian_mixture
from .builtin_list import BUILTINS as BUILTINS, BuiltinInfo as BuiltinInfo, GmmOptions as GmmOptions
from .column_names import folded as folded, is_label_name as is_label_name, label_rank as label_rank
from .dataset import (
    Dataset as Dataset,
    Split as Split,
    empty_rows as empty_rows,
    train_targets as train_targets,
)
from .file_limits import check_file as check_file, file_path as file_path, max_megabytes as max_megabytes
from .file_names import one_form as one_form, why_hidden as why_hidden
from .formats import (
    ARCHIVE_ENDINGS as ARCHIVE_ENDINGS,
    FILE_KINDS as FILE_KINDS,
    FILE_NAMES as FILE_NAMES,
    FORMATS as FORMATS,
    holds_features as holds_features,
    is_archive as is_archive,
    is_table as is_table,
    kind_of as kind_of,
)
from .groups import groups_of as groups_of
from .how_read import LEFT_OUT as LEFT_OUT, ReadLine as ReadLine, as_rows as as_rows
from .hub import HUB as HUB, hub_name as hub_name
from .image_index import ImageIndex as ImageIndex, index_images as index_images
from .include_exclude import (
    Given as Given,
    check_budget as check_budget,
    make_given as make_given,
    nothing_given as nothing_given,
)
from .jsonl_reader import as_utf8 as as_utf8
from .known_labels import known_array as known_array, number_word as number_word
from .load import (
    load_dataset as load_dataset,
    load_texts as load_texts,
    rows_beyond_memory as rows_beyond_memory,
)
from .mixed_units import in_one_unit as in_one_unit, spread_notes as spread_notes
from .picture_file import read_picture as read_picture
from .picture_kinds import may_be_picture as may_be_picture
from .picture_originals import find_originals as find_originals
from .picture_source import image_source as image_source, source_fingerprint as source_fingerprint
from .row_list import read_rows as read_rows, row_text as row_text
from .row_texts import RowTexts as RowTexts
from .row_thumbnails import EncodedImages as EncodedImages, ImageStore as ImageStore
from .scaler import Scaler as Scaler, fit_scaler as fit_scaler, row_blocks as row_blocks
from .skipped import counted as counted
from .some_targets import (
    KnownTargets as KnownTargets,
    classes_of as classes_of,
    known_targets as known_targets,
    what_words_ask as what_words_ask,
)
from .source_checks import (
    check_budget_fits as check_budget_fits,
    check_budgets as check_budgets,
    check_source as check_source,
)
from .table_file import TableFile as TableFile, check_names as check_names, is_numeric as is_numeric, is_text as is_text
from .table_formats import names_in as names_in, read_table_file as read_table_file
from .tables import row_names as row_names
from .task import Task as Task
from .typed_text import encoded as encoded, typed as typed
from .unpacked import plain_file as plain_file
from .whole_pool import WholePool as WholePool
from .zip_file import ZIP_ERRORS as ZIP_ERRORS, ZipContents as ZipContents

from .builtin import (
    BUILTINS as BUILTINS,
    BuiltinInfo as BuiltinInfo,
    GmmOptions as GmmOptions,
    gaussian_mixture as gaussian_mixture,
)
from .column_roles import LEFT_OUT as LEFT_OUT
from .dataset import Dataset as Dataset, Task as Task, train_targets as train_targets
from .file_limits import file_path as file_path, max_megabytes as max_megabytes
from .file_names import one_form as one_form
from .formats import (
    ARCHIVE_ENDINGS as ARCHIVE_ENDINGS,
    FILE_KINDS as FILE_KINDS,
    FILE_NAMES as FILE_NAMES,
    FORMATS as FORMATS,
    holds_features as holds_features,
    is_archive as is_archive,
    kind_of as kind_of,
)
from .how_read import ReadLine as ReadLine, as_rows as as_rows
from .hub import HUB as HUB, hub_name as hub_name
from .image_files import find_files as find_files
from .image_index import ImageIndex as ImageIndex, index_images as index_images
from .include_exclude import (
    Given as Given,
    check_budget as check_budget,
    make_given as make_given,
    nothing_given as nothing_given,
)
from .known_labels import known_array as known_array
from .load import load_dataset as load_dataset, load_texts as load_texts
from .mixed_units import spread_notes as spread_notes
from .picture_file import read_picture as read_picture
from .picture_source import image_source as image_source, source_fingerprint as source_fingerprint
from .row_list import read_rows as read_rows, row_text as row_text
from .row_texts import RowTexts as RowTexts
from .row_thumbnails import EncodedImages as EncodedImages, ImageStore as ImageStore
from .scaler import Scaler as Scaler, fit_scaler as fit_scaler, row_blocks as row_blocks
from .table_formats import is_table as is_table, names_in as names_in

from .embedding import embed as embed
from .encoder import Encoder as Encoder
from .features import encode_rows as encode_rows
from .packaged import (
    PACKAGED as PACKAGED,
    PACKAGED_TEXT as PACKAGED_TEXT,
    default_advice as default_advice,
    default_model as default_model,
    installed as installed,
    origin_line as origin_line,
)
from .registry import load_encoder as load_encoder, model_names as model_names, weight_tags as weight_tags
from .untrained import file_marks as file_marks, marks as marks

from .citation import bibtex as bibtex
from .page import write_report as write_report
from .palette import OKABE_ITO as OKABE_ITO, POOL_COLOUR as POOL_COLOUR
from .series_style import (
    ACCENTS as ACCENTS,
    Style as Style,
    method_styles as method_styles,
    run_style as run_style,
)
from .thumbnails import write_thumbnails as write_thumbnails

from .citation import bibtex as bibtex
from .page import write_report as write_report
from .thumbnails import write_thumbnails as write_thumbnails

"""Answers, tags and batches of picks come in, one file that never loses any goes out: labels so far, and undo.

No method is run here, and torch is never loaded; what labels are worth is for the rooms below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Sizes come in; seconds and peak memory of methods, solver and sketches go out, with the machine they were taken on.

Scores belong to `comparison`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

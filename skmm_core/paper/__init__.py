"""The name of an experiment of the SkMM paper comes in, its table, made again, goes out.

Comparisons on a person's own data belong to `comparison`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

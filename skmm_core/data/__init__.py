"""Files, folders of pictures and names of built-in sets come in, one checked `Dataset` goes out.

Nothing is computed from features here beyond checking and scaling them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

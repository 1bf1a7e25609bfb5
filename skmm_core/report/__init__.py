"""A finished run folder comes in, one self-contained page goes out.

Nothing is computed anew here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

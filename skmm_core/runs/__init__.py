"""Configs and results come in; run folders, the index over them and bundles go out.

Nothing is computed here and torch is never loaded, so that a page can list and read old runs before torch is there.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

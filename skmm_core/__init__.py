"""Pick the few points worth labelling or training on, and measure why they are good.

The public names are loaded on first use, so that ``import skmm_core`` costs nothing and a page can read old runs
before torch is there.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"

"""Words typed after `python -m skmm_core` come in; configs, progress and lines of text go out.

No computation stands here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

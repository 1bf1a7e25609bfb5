"""A dataset comes in, a `Pool` goes out: the rows to pick from, with everything that methods share computed once.

No method is run here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

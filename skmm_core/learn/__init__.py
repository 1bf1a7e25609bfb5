"""A few knobs come in, small made-up pools whose truth is known go out, for the Learn page.

Real data belong to `data`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

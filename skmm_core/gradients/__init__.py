"""Rows and targets, or any torch module, come in; per-sample gradients, warm-up heads and training dynamics go out.

It stands below the sketches, since gradients too wide to keep are sketched while they are made.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Arrays come in; optima, greedy orders and fits go out: the mathematics under the methods.

It knows no dataset, no pool and no method.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

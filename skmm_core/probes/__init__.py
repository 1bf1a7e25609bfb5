"""Chosen rows come in, scores on test rows go out, by a linear probe or by finetuning a network.

Comparing methods belongs to `comparison`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

"""Chosen rows come in, scores on test rows go out, by learners from a linear probe to a finetuned network.

Comparing methods belongs to `comparison`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

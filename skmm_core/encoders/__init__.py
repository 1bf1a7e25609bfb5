"""Pictures or texts come in, features in a file go out, made block by block, cached and resumable.

Training a network belongs to `probes`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

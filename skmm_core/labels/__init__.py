"""Labels that people gave come in, by id; a pool with these labels, and which points are given or out, goes out.

Points are named by id, never by row. No method is run here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

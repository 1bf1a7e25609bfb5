"""A pool and a budget come in, a `Selection` goes out: one file a family, one registry.

Mathematics that several methods share belongs to `solvers`, scoring to `probes`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

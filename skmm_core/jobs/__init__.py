"""A run folder with a config comes in, the same folder with its results goes out.

Every kind of job, Cancel and the warm worker stand here; what a job computes belongs to the rooms above.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

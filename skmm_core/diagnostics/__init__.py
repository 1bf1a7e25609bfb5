"""A pool and a selection come in; measurements, the words for them and maps go out.

Training and scoring belong to `probes`, drawing to the dashboard and `report`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

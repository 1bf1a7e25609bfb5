"""Methods, budgets and seeds come in; scores with intervals, paired tests, leagues and plans go out.

Charts belong to the dashboard and `report`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

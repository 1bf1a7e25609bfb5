"""A path and something to write come in, a file that is whole or not there at all goes out.

The home folder and hashes of files stand here too; what a file means is for the rooms that write it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

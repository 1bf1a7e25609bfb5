from .checkpoint import Checkpoint as Checkpoint
from .row_blocks import Blocks as Blocks

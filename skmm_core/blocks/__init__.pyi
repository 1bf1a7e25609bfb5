from .checkpoint import Checkpoint as Checkpoint
from .row_blocks import Blocks as Blocks
from .workers import HERE as HERE, Workers as Workers

from .checkpoint import Checkpoint as Checkpoint
from .cluster import ClusterWorkers as ClusterWorkers
from .row_blocks import Blocks as Blocks
from .workers import HERE as HERE, Workers as Workers

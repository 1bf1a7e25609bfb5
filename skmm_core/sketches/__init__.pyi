from .base import Identity as Identity, Sketch as Sketch
from .distortion import Distortion as Distortion, measure_distortion as measure_distortion
from .kinds import (
    LARGEST_DEFAULT as LARGEST_DEFAULT,
    draw_sketch as draw_sketch,
    effective_dimension as effective_dimension,
    make_sketch as make_sketch,
    spectrum as spectrum,
)
from .outer import OuterRows as OuterRows, Rows as Rows

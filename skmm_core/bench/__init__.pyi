from .machine_facts import machine as machine
from .methods import MethodsOptions as MethodsOptions, bench_methods as bench_methods
from .scale import ScaleOptions as ScaleOptions, bench_scale as bench_scale
from .sketch import SketchOptions as SketchOptions, bench_sketch as bench_sketch
from .solver import SolverOptions as SolverOptions, bench_solver as bench_solver

from .config import RunConfig as RunConfig, SketchParams as SketchParams
from .data import Dataset as Dataset, load_dataset as load_dataset
from .errors import Cancelled as Cancelled, InputError as InputError
from .methods import Selection as Selection, list_methods as list_methods, select as select
from .pool import Pool as Pool, make_pool as make_pool

__version__: str

from .band import Band as Band, read_band as read_band
from .likeness import (
    Nearness as Nearness,
    distances_to as distances_to,
    likeness_rows as likeness_rows,
    nearest_to as nearest_to,
    nearness as nearness,
)
from .maps import EPOCHS as EPOCHS, UMAP_FIT_LIMIT as UMAP_FIT_LIMIT, pca_map as pca_map, umap_map as umap_map
from .measure import asked_c_s as asked_c_s, diagnose as diagnose
from .quantities import QUANTITIES as QUANTITIES
from .random_band import measure_band as measure_band
from .record import Diagnostics as Diagnostics, load_diagnostics as load_diagnostics
from .verdict import (
    represented_text as represented_text,
    standing as standing,
    verdict_of as verdict_of,
    verdict_text as verdict_text,
    yardstick as yardstick,
)
from .wording import DistortionReading as DistortionReading, read_distortion as read_distortion

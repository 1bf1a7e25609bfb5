from .export import LABEL_TOOLS as LABEL_TOOLS, export_selection as export_selection
from .gathering import gather as gather
from .given import Round as Round, begin_round as begin_round
from .importing import import_labels as import_labels, known_points as known_points
from .known import LabelsRead as LabelsRead
from .reading import LABEL_KINDS as LABEL_KINDS, read_labels as read_labels

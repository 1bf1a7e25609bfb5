from .export import export_selection as export_selection
from .gathering import gather as gather
from .importing import import_labels as import_labels, known_points as known_points
from .known import LabelsRead as LabelsRead
from .reading import read_labels as read_labels

from .project import ME as ME, Project as Project
from .state import Batch as Batch, ProjectState as ProjectState
from .store import ProjectCard as ProjectCard, ProjectStore as ProjectStore

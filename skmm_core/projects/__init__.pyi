from .project import ME as ME, Project as Project
from .state import DECISION as DECISION, Batch as Batch, ProjectState as ProjectState, Scheme as Scheme
from .store import ProjectCard as ProjectCard, ProjectStore as ProjectStore

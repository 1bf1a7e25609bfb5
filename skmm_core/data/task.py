"""What the targets of a dataset ask for."""

from enum import StrEnum


class Task(StrEnum):
    """What the targets ask for."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    UNLABELLED = "unlabelled"

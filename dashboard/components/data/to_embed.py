"""What a form asks to make features of."""

from dataclasses import dataclass

from skmm_core.config import DatasetConfig, EmbedJob


@dataclass(frozen=True)
class ToEmbed:
    """Pictures or texts on their way to features.

    Attributes:
        dataset: where they are, and how they are read.
        job: the encoder; None while it or its weights are not chosen.
        pattern: how names of pictures give targets, or None.
    """

    dataset: DatasetConfig
    job: EmbedJob | None
    pattern: str | None = None

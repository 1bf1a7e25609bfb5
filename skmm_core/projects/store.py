"""All projects under one home folder: a folder each, with a card that says which pool it is about."""

import hashlib
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skmm_core.config import DatasetConfig
from skmm_core.errors import InputError
from skmm_core.projects.project import Project
from skmm_core.storage import write_text

_CARD, _FILE = "project.json", "project.sqlite"


class ProjectCard(BaseModel):
    """What `project.json` says.

    Attributes:
        id: 12 hex digits, the name of the folder.
        name: for lists.
        dataset: the pool, and how it is read.
        fingerprint: of the pool when the project was begun.
        created: epoch seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    name: str
    dataset: DatasetConfig
    fingerprint: str
    created: float


class ProjectStore:
    """Projects by id. Safe to use from several threads and processes."""

    def __init__(self, home: Path) -> None:
        """Take `home` as the folder under which `projects/` lies; it is made when a project is."""
        self._folder = home / "projects"

    def cards(self) -> tuple[ProjectCard, ...]:
        """All projects, the youngest first; folders that hold none are passed over."""
        if not self._folder.is_dir():
            return ()
        found = [card for path in self._folder.iterdir() if (card := _read(path / _CARD)) is not None]
        return tuple(sorted(found, key=lambda card: (-card.created, card.id)))

    def card(self, id_: str) -> ProjectCard:
        """The card of one project.

        Raises:
            InputError: there is none.
        """
        found = next((card for card in self.cards() if card.id == id_), None)
        if found is None:
            raise InputError(f"there is no project {id_[:40]!r}; `labels status` lists all")
        return found

    def open(self, id_: str) -> Project:
        """Open a project.

        Raises:
            InputError: there is none, or its file cannot be used.
        """
        return Project(self._folder / self.card(id_).id / _FILE)

    def of_pool(self, fingerprint: str) -> ProjectCard | None:
        """The project about a pool, if one was begun."""
        return next((card for card in self.cards() if card.fingerprint == fingerprint), None)

    def begin(self, dataset: DatasetConfig, fingerprint: str, *, name: str) -> ProjectCard:
        """The project about a pool, made unless it is there.

        Raises:
            InputError: its folder cannot be written.
        """
        id_ = hashlib.sha256(fingerprint.encode()).hexdigest()[:12]  # so that two tabs begin the same one
        path = self._folder / id_ / _CARD
        if (found := _read(path)) is not None:
            return found
        card = ProjectCard(id=id_, name=name, dataset=dataset, fingerprint=fingerprint, created=time.time())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            Project(self._folder / id_ / _FILE)
            write_text(path, card.model_dump_json(indent=1) + "\n")
        except OSError as error:
            raise InputError(f"{self._folder} cannot be written: {error.strerror}; set SKMM_HOME") from None
        return card

    def rename(self, id_: str, name: str) -> ProjectCard:
        """Call a project something else."""
        card = self.card(id_).model_copy(update={"name": name})
        write_text(self._folder / id_ / _CARD, card.model_dump_json(indent=1) + "\n")
        return card


def _read(path: Path) -> ProjectCard | None:
    try:
        card = ProjectCard.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return card if card.id == path.parent.name else None

"""What goes out to be labelled: the chosen points, in the order picked, with all that helps to label them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from skmm_core.errors import InputError
from skmm_core.labels.questions import LABEL

Cell = str | int | float | bool | None
_OWN = (LABEL, "id", "skmm_id", "skmm_rank", "skmm_batch", "skmm_fields", "batch", "order", "text", "image", "state")


@dataclass(frozen=True)
class OutRow:
    """One point.

    Attributes:
        id: of the point.
        order: place in the order picked, 1 for the first.
        batch: its number, or None.
        text: or None.
        picture: path of its file relative to :attr:`Outgoing.root`, or an address on the web; None without one.
        columns: of the upload.
        guess: a model's label for it, or None.
        sure: probability of the guess, or None.
    """

    id: str
    order: int
    batch: int | None = None
    text: str | None = None
    picture: str | None = None
    columns: Mapping[str, Cell] = field(default_factory=dict)
    guess: str | None = None
    sure: float | None = None


@dataclass(frozen=True)
class Outgoing:
    """Points to label.

    Attributes:
        name: what to call them.
        rows: in the order picked.
        classes: names of the classes so far; may be empty.
        numbers: whether labels are numbers.
        root: folder of the pictures, or None where it is not known.
        picture_bytes: content of a row's picture and the ending that goes with it, None where it has none.
    """

    name: str
    rows: tuple[OutRow, ...]
    classes: tuple[str, ...] = ()
    numbers: bool = False
    root: Path | None = None
    picture_bytes: Callable[[OutRow], tuple[bytes, str] | None] | None = None

    @property
    def has_pictures(self) -> bool:
        """Whether any point has a picture."""
        return any(row.picture is not None for row in self.rows)

    @property
    def has_texts(self) -> bool:
        """Whether any point has a text."""
        return any(row.text for row in self.rows)

    @cached_property
    def column_names(self) -> dict[str, str]:
        """Name in the export of every column of the upload; those that mean something there get another."""
        names = dict.fromkeys(name for row in self.rows for name in row.columns)
        taken = {name.casefold() for name in (*_OWN, *names)}
        found = {}
        for name in names:
            shown = name
            if name.strip().casefold() in _OWN:
                shown = f"{name.strip()} (upload)"
                while shown.casefold() in taken:
                    shown += "_"
                taken.add(shown.casefold())
            found[name] = shown
        return found

    def renamed_columns(self, row: OutRow) -> dict[str, Cell]:
        """The columns of the upload under their names in the export."""
        names = self.column_names
        return {names[name]: value for name, value in row.columns.items()}

    def shown_columns(self, row: OutRow) -> str:
        """What to look at where a point has neither text nor picture, a line each."""
        known = {"id": row.id, **row.columns}
        return "\n".join(f"{name}: {value}" for name, value in known.items() if value is not None)

    def place(self, row: OutRow) -> str:
        """Where the picture of a row is: an absolute path where the folder is known."""
        picture = row.picture or ""
        if self.root is None or is_address(picture):
            return picture
        return (self.root / PurePosixPath(picture)).as_posix()


@dataclass(frozen=True)
class Exported:
    """A written file.

    Attributes:
        path: of the file.
        points: how many are in it.
        notes: how to open it in the tool, a sentence each.
        paste: text to paste into the tool, such as its labelling interface; empty where there is none.
    """

    path: Path
    points: int
    notes: tuple[str, ...] = ()
    paste: str = ""


def is_address(picture: str) -> bool:
    """Whether a picture is named by its address on the web."""
    return picture.lower().startswith(("http://", "https://"))


def need_pictures(out: Outgoing, tool: str) -> None:
    """Refuse points without pictures for a tool that knows nothing else.

    Raises:
        InputError: no point has one.
    """
    if not out.has_pictures:
        raise InputError(f"{tool} labels pictures and these points have none; export as csv, label-studio or argilla")

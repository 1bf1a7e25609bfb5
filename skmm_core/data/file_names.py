"""Names of files that people bring: one form to compare them in, which are hidden, and which can be no name."""

import re
import unicodedata

MAX_PATH_BYTES = 1024
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}  # of Unicode: control, bytes that are no text, ends of lines and paragraphs
_SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", ".ds_store"}
# Previews, bins and snapshots of macOS, Windows, Linux, of network drives (Synology, QNAP) and of programs that sync.
_SYSTEM_FOLDERS = {
    *("__macosx", "$recycle.bin", "recycler", "system volume information", "lost+found", "__pycache__"),
    *("network trash folder", "temporary items", "thevolumesettingsfolder", "resource.frk"),
    *("_gsdata_", "_vti_cnf", "cvs"),
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "@__thumb", "#recycle", "#snapshot"),
}
_FOUND_BY_CHECKDISK = re.compile(r"found\.\d{3}")


def one_form(name: str) -> str:
    """The name with every accent in its letter (Unicode NFC): macOS writes é as two signs, others as one."""
    return unicodedata.normalize("NFC", name)


def why_hidden(name: str) -> str | None:
    """Why a file is passed over though it may be a picture; None for an ordinary one.

    Programs keep copies, previews and deleted files in folders of their own, with a name that begins with a dot or is
    known. They are nobody's data, and would push out or double the originals.

    Args:
        name: path relative to what was given, with "/".
    """
    parts = name.split("/")
    folders, last = [part.lower() for part in parts[:-1]], parts[-1].lower()
    system = any(folder in _SYSTEM_FOLDERS or _FOUND_BY_CHECKDISK.fullmatch(folder) for folder in folders)
    if system or last in _SYSTEM_FILES or last.startswith("._"):
        return "not an image: a file of the operating system"
    if any(part.startswith(".") for part in (*folders, last)):
        return "hidden: its name, or that of a folder above it, begins with a dot"
    return None


def is_plain(name: str) -> bool:
    """Whether a name is text without signs that control a line.

    Nothing else is refused: names hold blanks of any width, joined signs and marks of direction, as those of
    screenshots on macOS do.
    """
    return _CONTROL.isdisjoint(map(unicodedata.category, name))

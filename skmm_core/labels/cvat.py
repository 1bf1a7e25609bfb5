"""CVAT: files in pick order and names of labels out; tags of its XML, or categories of COCO, back by file name."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from skmm_core.data import counted
from skmm_core.errors import InputError
from skmm_core.labels.answers import Answer, Answers, collect
from skmm_core.labels.archives import write_zip
from skmm_core.labels.outgoing import Exported, Outgoing, need_pictures
from skmm_core.storage import to_json

_BY = "cvat"


def write_cvat(out: Outgoing, path: Path) -> Exported:
    """Write a zip file of `files.txt`, a path a line in pick order, and `labels.json`, as `cvat-cli` takes them.

    Raises:
        InputError: no point has a picture.
        OSError: the file cannot be written.
    """
    need_pictures(out, "CVAT")
    rows = [row for row in out.rows if row.picture is not None]
    files = "".join(f"{out.place(row)}\n" for row in rows)
    names = out.classes or ("first class", "second class")
    labels = [{"name": name, "type": "tag", "attributes": []} for name in names]
    write_zip(path, [("files.txt", files.encode()), ("labels.json", (to_json(labels, indent=1) + "\n").encode())])
    paste = (
        "xargs -d '\\n' -a files.txt cvat-cli --server-host https://HOST task create NAME --labels labels.json "
        "--sorting-method predefined local\n"
    )
    notes = (
        "Unpack it, edit labels.json if classes are missing, and run the line below, which keeps the order of picks.",
        "Give each picture a tag, export as CVAT for images 1.1, and bring the zip file or its annotations.xml back. "
        "CVAT keeps names of files alone, so two files of one name in different folders cannot be told apart.",
    )
    return Exported(path, len(rows), notes, paste)


def read_cvat(root: ElementTree.Element, where: str) -> Answers:
    """Read the tags of `CVAT for images`; a picture with tags of several labels has none.

    Args:
        root: of the XML.
        where: name for messages.

    Raises:
        InputError: it is no export of pictures.
    """
    images = root.findall("image")
    if root.tag != "annotations" or (not images and root.find("track") is not None):
        raise InputError(f"{where} is no export of pictures; export as CVAT for images 1.1")
    tags: dict[str, set[str]] = {}
    for image in images:
        name = image.get("name")
        if name:
            tags.setdefault(name, set()).update(tag.get("label", "") for tag in image.findall("tag"))
    return _by_name(tags)


def read_coco(value: Mapping[str, Any], where: str) -> Answers:
    """Read a COCO file: the category of a picture whose annotations are all of one.

    Args:
        value: images, annotations, categories.
        where: name for messages.

    Raises:
        InputError: these do not fit together.
    """
    try:
        names = {each["id"]: str(each["name"]) for each in value["categories"]}
        files = {each["id"]: str(each["file_name"]) for each in value["images"]}
        found: dict[str, set[str]] = {name: set() for name in files.values()}
        for each in value["annotations"]:
            found[files[each["image_id"]]].add(names[each["category_id"]])
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            f"{where} is no complete COCO file (images, annotations, categories); export it again"
        ) from None
    return _by_name(found)


def is_coco(value: Any) -> bool:
    """Whether a JSON value is a COCO file."""
    return isinstance(value, dict) and {"images", "annotations", "categories"} <= set(value)


def _by_name(found: Mapping[str, Iterable[str]]) -> Answers:
    labels = {name: sorted(filter(None, given)) for name, given in found.items()}
    several = sum(len(given) > 1 for given in labels.values())
    note = f"{counted(several, 'picture has', 'pictures have')} several labels and so none that counts."
    answers = [Answer(name, given[0], _BY) for name, given in labels.items() if len(given) == 1]
    return collect(answers, pending=labels, by_file_name=True, notes=(note,) if several else ())

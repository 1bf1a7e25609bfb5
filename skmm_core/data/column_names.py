"""What the name of a column says that it holds: a label, an id, an embedding."""

import re

TARGET_NAMES = ("label", "target", "y")
_OTHER_TARGETS = re.compile(
    r"(label|target|class|category)(s|es)?(_?(ids?|idx|index|names?|codes?|num|number|labels?|class))?"
    r"|categories|annotation|(gt|y_true|ground_truth)(_?(labels?|class))?|(true|gold)_?(labels?|class)"
)
_EMBEDDINGS = re.compile(r"(.*_)?(emb(edding)?s?|vectors?)")
_IDS = re.compile(r"(.*_)?(ids?|uid|uuid|guid|hash|phash|dhash|sha1|sha256|md5)")


def is_label(name: str) -> bool:
    """Whether the name of a column is that of a label."""
    return folded(name) in TARGET_NAMES or bool(_OTHER_TARGETS.fullmatch(folded(name)))


def is_id(name: str) -> bool:
    """Whether the name of a column is that of ids."""
    return bool(_IDS.fullmatch(folded(name))) and not is_label(name)


def is_embedding(name: str) -> bool:
    """Whether the name of a column is that of an embedding."""
    return bool(_EMBEDDINGS.fullmatch(folded(name)))


def label_rank(name: str) -> tuple[int, bool, bool]:
    """Sort key of names that are those of a label: the plainest first."""
    plain = folded(name)
    place = TARGET_NAMES.index(plain) if plain in TARGET_NAMES else len(TARGET_NAMES)
    return place, "_" in plain or plain.endswith(("id", "index", "idx")), name != plain


def folded(name: str) -> str:
    """A name in small letters, with underscores between its words."""
    return name.strip().casefold().replace(" ", "_").replace("-", "_")

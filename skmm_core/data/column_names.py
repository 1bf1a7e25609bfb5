"""What the name of a column says it holds: a label, a prediction, ids, vectors, texts."""

import re

TARGET_NAMES = ("label", "target", "y")
_OTHER_TARGETS = re.compile(
    r"(label|target|class|cls|category)(s|es)?(_?(ids?|idx|index|names?|codes?|num|number|labels?|class))?"
    r"|categories|annotation|(gt|y_true|ground_truth)(_?(labels?|class))?|(true|gold|soft)_?(labels?|class)"
)
_PREDICTIONS = re.compile(
    r"(y|label|target|class)_(pred|hat|predicted)|pred(icted|iction)?s?(_?(labels?|class|target|y|ids?|idx))?"
)
_IDS = re.compile(r"(.*_)?(ids?|uid|uuid|guid|hash|phash|dhash|sha1|sha256|md5)")
_VECTORS = re.compile(r"(.*_)?(embeddings?|embeds?|emb|embs|vectors?|feature_?vectors?)(_\d+)?")
_TEXTS = tuple(  # the plainest first
    map(
        re.compile,
        (
            r"(full_?|raw_?|clean_?)?texts?",
            r"content|body|document|passage|article|chunk|page_content",
            r"(review|comment|message|post|tweet|abstract|summary|sentence|utterance)s?(_?(text|body|content))?",
            r"prompt|instruction|question|query|input",
            r"captions?|description|headline|title|subject",
        ),
    )
)
_ONE_CLASS = re.compile(r"(label|target|class|category)s?_.+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s.\-]+")


def folded(name: str) -> str:
    """A name in small letters with underscores between its words: "userID" and "user id" are user_id."""
    words = _CAMEL.sub("_", name.strip())
    return _BETWEEN.sub("_", words.casefold())


def is_label_name(name: str) -> bool:
    """Whether the name of a column is that of a label."""
    return folded(name) in TARGET_NAMES or bool(_OTHER_TARGETS.fullmatch(folded(name)))


def is_prediction_name(name: str) -> bool:
    """Whether the name of a column is that of what a model said."""
    return bool(_PREDICTIONS.fullmatch(folded(name)))


def is_id_name(name: str) -> bool:
    """Whether the name of a column is that of ids."""
    return bool(_IDS.fullmatch(folded(name))) and not is_label_name(name)


def is_vector_name(name: str) -> bool:
    """Whether the name of a column is that of an embedding."""
    return bool(_VECTORS.fullmatch(folded(name)))


def is_class_name(name: str) -> bool:
    """Whether a name is that of one class of a label whose every class has a column, such as label_cat."""
    return bool(_ONE_CLASS.fullmatch(folded(name))) and not is_label_name(name)


def label_rank(name: str) -> tuple[int, bool, bool]:
    """Sort key of names that are those of a label: the plainest first."""
    plain = folded(name)
    place = TARGET_NAMES.index(plain) if plain in TARGET_NAMES else len(TARGET_NAMES)
    return place, "_" in plain or plain.endswith(("id", "index", "idx")), name != plain


def text_rank(name: str) -> int | None:
    """Place of a name among those of columns of texts, the plainest first; None where it is none of them."""
    plain = folded(name)
    return next((place for place, pattern in enumerate(_TEXTS) if pattern.fullmatch(plain)), None)

"""What the report of an embedding shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skmm_core.report.numbers import number


def embedding_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template."""
    facts = result["provenance"]
    return {
        "figures": [],
        "methods": (),
        "sources": (),
        "title": f"{result['dataset']}: {result['N']:,} images, {result['d']:,} features each",
        "lead": f"Encoded by {result['model']}.",
        "facts": [
            ("Model", facts["model"]),
            ("Weights", facts["pretrained"] or "none"),
            *((name.capitalize(), facts[name]) for name in ("licence", "origin") if name in facts),
            ("SHA-256 of the weights", facts["weights_sha256"] or "none"),
            ("Preprocessing", facts["preprocessing"]),
            *((f"{part.capitalize()} images", number(count)) for part, count in result["parts"].items()),
            ("Classes", ", ".join(result["class_names"]) or "none"),
            ("Files left out", number(result["skipped_count"])),
        ],
        "skipped": [(each["path"], each["reason"]) for each in result["skipped"]],
        "more": result["skipped_count"] - len(result["skipped"]),
    }

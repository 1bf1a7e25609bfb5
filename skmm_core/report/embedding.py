"""What the report of an embedding shows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skmm_core.report.numbers import number


def embedding_view(folder: Path, result: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the template."""
    facts = result["provenance"]
    texts = result.get("reads") == "texts"  # runs of earlier versions are of images
    things = "texts" if texts else "images"
    return {
        "figures": [],
        "things": things,
        "methods": (),
        "sources": (),
        "title": f"{result['dataset']}: {result['N']:,} {things}, {result['d']:,} features each",
        "lead": f"Encoded by {result['model']}.",
        "facts": [
            ("Model", facts["model"]),
            ("Weights", facts["pretrained"] or "none"),
            *((name.capitalize(), facts[name]) for name in ("licence", "origin") if name in facts),
            ("SHA-256 of the weights", facts["weights_sha256"] or "none"),
            ("Preprocessing", facts["preprocessing"]),
            *((f"{part.capitalize()} {things}", number(count)) for part, count in result["parts"].items()),
            ("Classes", ", ".join(result["class_names"]) or "none"),
            ("Texts that are cut", number(result["cut_count"])) if texts else _left_out(result),
        ],
        "skipped": [(each["path"], each["reason"]) for each in result["skipped"]],
        "more": result["skipped_count"] - len(result["skipped"]),
    }


def _left_out(result: Mapping[str, Any]) -> tuple[str, str]:
    return "Files left out", number(result["skipped_count"])

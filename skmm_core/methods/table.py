"""The method table of the README, made from the registry: `python -m skmm_core.methods.table` prints it."""

import sys

from skmm_core.methods.registry import MethodSpec, list_own_methods

LEAGUE_DEFAULT = {False: "default for labelling", True: "default for training"}


def method_table() -> str:
    """Markdown table: key, what it does, what it needs, source."""
    rows = ["| Method | Key | What it does | Needs | Source |", "|---|---|---|---|---|"]
    rows += [_row(spec) for spec in list_own_methods()]
    return "\n".join(rows) + "\n"


def _row(spec: MethodSpec) -> str:
    title = f"**{spec.title}** ({LEAGUE_DEFAULT[spec.uses_labels]})" if spec.recommended else spec.title
    return f"| {title} | `{spec.key}` | {spec.summary} | {spec.needs_text} | [{spec.paper}]({spec.url}) |"


if __name__ == "__main__":
    sys.stdout.write(method_table())

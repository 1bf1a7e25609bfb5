"""The page on the probe at few labels says what the committed scores say."""

import json

import numpy as np

from tests.bench.probe_few_labels import OUT
from tests.bench.probe_few_labels_page import PAGE, page


def test_the_page_is_what_the_scores_make_it() -> None:
    found = json.loads(OUT.read_text(encoding="utf-8"))
    assert PAGE.read_text(encoding="utf-8") == page(found), "run `python -m tests.bench.probe_few_labels_page`"


def test_the_probe_is_nowhere_far_below_plain_rules() -> None:
    found = json.loads(OUT.read_text(encoding="utf-8"))
    gains: dict[str, list[float]] = {}
    for name, _, _, _, scores in found["cells"]:
        if name not in found["numbers"]:
            gains.setdefault(name, []).append(scores["probe"] - max(scores["ridge"], scores["fixed"]))
    # each cell is compared with the luckier of two rules, which costs a tie about half their spread
    assert all(np.mean(gain) > -0.03 for gain in gains.values())

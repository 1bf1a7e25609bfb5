"""What to cite: the paper of Sketchy Moment Matching, and the source of every method that a run used."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skmm_core.methods import MethodSpec

PAPER_URL = "https://arxiv.org/abs/2407.06120"
PAPER_TEXT = (
    "Y. Dong, H. Phan, X. Pan, Q. Lei. “Sketchy Moment Matching: Toward Fast and Provable Data Selection for "
    "Finetuning”, NeurIPS 2024, arXiv 2407.06120."
)
PAPER_BIBTEX = """@inproceedings{dong2024sketchy,
  title     = {Sketchy Moment Matching: Toward Fast and Provable Data Selection for Finetuning},
  author    = {Dong, Yijun and Phan, Hoang and Pan, Xiang and Lei, Qi},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2024}
}
"""
_SPECIAL = str.maketrans({character: f"\\{character}" for character in "&%$#_{}"})


def bibtex(specs: "Iterable[MethodSpec]") -> str:
    """BibTeX of the paper, then one entry for each other source among the methods.

    Args:
        specs: of the methods that were used; those of one source share an entry.
    """
    entries = {PAPER_URL: PAPER_BIBTEX}
    for spec in specs:
        entries.setdefault(
            spec.url,
            f"@misc{{{spec.key},\n  note = {{{spec.paper.translate(_SPECIAL)}}},\n  url  = {{{spec.url}}}\n}}\n",
        )
    return "\n".join(entries.values())

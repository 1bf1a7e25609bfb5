"""A critical-difference figure as plain SVG: methods along a scale of mean ranks, bars as long as the difference."""

from collections.abc import Mapping
from html import escape

_WIDTH, _LEFT, _ROW, _TOP = 760, 210, 20, 70
_INK, _MUTED, _PAPER = "#1f2328", "#8c959f", "#ffffff"


def rank_figure(ranks: Mapping[str, float], gap: float) -> str:
    """Draw the figure.

    Args:
        ranks: mean rank by method; 1 is best.
        gap: critical difference; each method's whisker reaches as far, methods within it do not differ.
    """
    order = sorted(ranks, key=lambda name: ranks[name])
    last = len(order)
    height = _TOP + _ROW * len(order) + 20

    def place(rank: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 30) * (rank - 1) / max(1, last - 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="13"><rect width="100%" height="100%" fill="{_PAPER}"/>',
        f'<text x="{_LEFT}" y="20" fill="{_INK}">Mean rank over families (1 is best); grey reaches the critical '
        "difference</text>",
    ]
    for rank in range(1, last + 1):
        x = place(rank)
        parts.append(f'<text x="{x:.1f}" y="45" fill="{_MUTED}" text-anchor="middle">{rank}</text>')
        parts.append(f'<path d="M{x:.1f} 52V{height - 12}" stroke="{_MUTED}" stroke-opacity="0.25"/>')
    for row, name in enumerate(order):
        y, x = _TOP + _ROW * row, place(ranks[name])
        end = place(min(ranks[name] + gap, last))
        parts.append(f'<text x="{_LEFT - 14}" y="{y + 4}" fill="{_INK}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<path d="M{x:.1f} {y}H{end:.1f}" stroke="{_MUTED}" stroke-width="4" stroke-opacity="0.6"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{_INK}"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 6}" fill="{_INK}" font-size="10" text-anchor="middle">')
        parts.append(f"{ranks[name]:.1f}</text>")
    return "".join(parts) + "</svg>\n"

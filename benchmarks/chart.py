"""The chart: for each workload a bar for each peer, its length the logarithm of the time of a step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

WIDTH, COLUMN, LEFT, BAR, GAP, HEAD = 960, 480, 138, 15, 3, 44
OURS_FILL, PEER_FILL, TEXT_FILL, PAPER = "#c2410c", "#94a3b8", "#1f2933", "#ffffff"


def chart(data: dict[str, Any], duration: Callable[[float], str]) -> str:
    """An SVG of the results as `bench.json` holds them; shorter bars are quicker, `duration` writes seconds."""
    panels = [(result, _bars(result)) for result in data["results"] if result["peers"]]
    body, tops = [], [48, 48]
    for result, bars in panels:
        column = 0 if tops[0] <= tops[1] else 1
        body.append(_panel(result, bars, duration, column * COLUMN, tops[column]))
        tops[column] += HEAD + len(bars) * (BAR + GAP) + 12
    height = max(tops) + 8
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="{TEXT_FILL}">\n'
        f"<title>Time of a training step</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>\n'
        f'<text x="12" y="26" font-size="16" font-weight="bold">Time of a training step, shorter is quicker'
        '<tspan font-size="11" font-weight="normal"> (logarithmic; '
        f"{escape(data['machine']['processor'])})</tspan>"
        "</text>\n" + "".join(body) + "</svg>\n"
    )


def _bars(result: dict[str, Any]) -> list[tuple[str, str, float]]:
    best = [peer for peer in result["peers"] if peer["best"]]
    return sorted(
        ((peer["peer"], peer["title"], peer["step_seconds"]) for peer in best), key=lambda bar: bar[2]
    )


def _panel(
    result: dict[str, Any],
    bars: list[tuple[str, str, float]],
    duration: Callable[[float], str],
    x: int,
    y: int,
) -> str:
    void = " (void)" if result["void"] else ""
    lines = [
        f'<text x="{x + 12}" y="{y + 14}" font-weight="bold">{escape(result["workload"] + void)}</text>\n'
        f'<text x="{x + 12}" y="{y + 29}">{escape(result["description"])}</text>\n'
    ]
    lowest = math.floor(math.log10(bars[0][2])) - 0.15
    highest = math.log10(bars[-1][2])
    scale = (COLUMN - LEFT - 90) / max(highest - lowest, 1e-9)
    for i, (peer, title, seconds) in enumerate(bars):
        top = y + HEAD - 8 + i * (BAR + GAP)
        length = max(2.0, (math.log10(seconds) - lowest) * scale)
        fill = OURS_FILL if peer.startswith("handgrad") else PEER_FILL
        lines.append(
            f'<text x="{x + LEFT - 6}" y="{top + 12}" text-anchor="end">{escape(title)}</text>'
            f'<rect x="{x + LEFT}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{fill}"/>'
            f'<text x="{x + LEFT + length + 5:.1f}" y="{top + 12}">{duration(seconds)}</text>\n'
        )
    return "".join(lines)

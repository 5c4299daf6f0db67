"""A bar chart for each workload, as one SVG; readable on light and dark pages."""

import dataclasses
from xml.sax.saxutils import escape

WIDTH, LABEL, VALUE = 760, 120, 90
BAR, GAP, TITLE, MARGIN = 16, 6, 44, 20
OURS, FLOOR, THEIRS = "#d9480f", "#868e96", "#4c7fb8"


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    figure: str
    less_is_better: bool
    bars: list[tuple[str, float]]


def value_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def panel_svg(panel: Panel, top: int, us: str) -> tuple[list[str], int]:
    """The panel's elements, and how high it is. Bars are to scale within a panel; the best is on top."""
    better = "less is better" if panel.less_is_better else "more is better"
    lines = [f'<text x="0" y="{top + 16}" class="title">{escape(panel.title)}</text>',
             f'<text x="0" y="{top + 33}" class="note">{escape(panel.figure)}; {better}</text>']
    bars = sorted(panel.bars, key=lambda bar: bar[1], reverse=not panel.less_is_better)
    longest = max((value for _, value in bars), default=0) or 1
    y = top + TITLE
    for name, value in bars:
        color = OURS if name == us else FLOOR if name == "floor" else THEIRS
        width = max(1.0, (WIDTH - LABEL - VALUE) * value / longest)
        lines += [f'<text x="{LABEL - 8}" y="{y + 12}" class="name">{escape(name)}</text>',
                  f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{color}"/>',
                  f'<text x="{LABEL + width + 6:.1f}" y="{y + 12}" class="note">{value_text(value)}</text>']
        y += BAR + GAP
    return lines, y - top + MARGIN


def svg(panels: list[Panel], us: str) -> str:
    body: list[str] = []
    top = 0
    for panel in panels:
        lines, height = panel_svg(panel, top, us)
        body += lines
        top += height
    style = ("text{font:12px sans-serif;fill:#555}.title{font-weight:bold;font-size:14px;fill:#222}"
             ".name{text-anchor:end;fill:#222}"
             "@media(prefers-color-scheme:dark){text{fill:#aaa}.title,.name{fill:#eee}}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}">\n'
            f"<style>{style}</style>\n" + "\n".join(body) + "\n</svg>\n")

"""The families' charts as SVG files beside the architecture page, written by hand: axes, lines, a legend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench.family import Chart, Family
from bench.figures import Figures
from support.programs import ROOT

FOLDER = ROOT / "core" / "charts"
WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 44, 56
COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7c3aed", "#b91c1c", "#0f766e", "#a16207", "#475569")


@dataclass(frozen=True, slots=True)
class Line:
    """One subject's points."""

    name: str
    points: tuple[tuple[float, float], ...]


def draw(families: list[Family], figures: Figures, folder: Path = FOLDER) -> list[Path]:
    """Draw every chart that has at least one line of two points."""
    drawn = []
    for family in families:
        for chart in family.charts:
            lines = _lines(family, chart, figures)
            if lines:
                folder.mkdir(exist_ok=True)
                path = folder / f"{chart.name}.svg"
                path.write_text(svg(chart, lines))
                drawn.append(path)
    return drawn


def _lines(family: Family, chart: Chart, figures: Figures) -> list[Line]:
    lines = []
    for subject in figures.subjects(family.name):
        values = [(x, figures.median(family.name, subject, row)) for row, x in chart.points]
        points = tuple((x, value) for x, value in values if value is not None and (value > 0 or not chart.log_y))
        if len(points) > 1:
            lines.append(Line(subject, points))
    return lines


def ticks(top: float) -> list[float]:
    """Round numbers from 0 to at least `top`, about five of them."""
    if top <= 0:
        return [0.0, 1.0]
    unit = 10 ** math.floor(math.log10(top / 4))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor * 5 >= top)
    return [step * index for index in range(math.ceil(top / step) + 1)]


def log_ticks(bottom: float, top: float) -> list[float]:
    """Powers of ten around both."""
    return [10.0**power for power in range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)]


def svg(chart: Chart, lines: list[Line]) -> str:
    """The whole file."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    y_ticks = log_ticks(min(ys), max(ys)) if chart.log_y else ticks(max(ys))
    if len(y_ticks) < 2:
        y_ticks = [y_ticks[0], y_ticks[0] * 10]
    low, high = min(xs), max(xs)

    def across(x: float) -> float:
        return LEFT + (x - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    up: Callable[[float], float] = math.log10 if chart.log_y else float

    def down(y: float) -> float:
        share = (up(y) - up(y_ticks[0])) / (up(y_ticks[-1]) - up(y_ticks[0]))
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#222">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(chart.title)}</text>',
    ]
    for y in y_ticks:
        parts.append(f'<path d="M{LEFT} {down(y):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{down(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    base = HEIGHT - BOTTOM + 18
    parts += [f'<text x="{across(x):.1f}" y="{base}" text-anchor="middle">{x:g}</text>' for x in sorted(set(xs))]
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle">{escape(chart.x_label)}</text>')
    parts.append(
        f'<text transform="translate(18 {(HEIGHT - BOTTOM + TOP) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(chart.y_label)}</text>"
    )
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        path = "L".join(f"{across(x):.1f} {down(y):.1f}" for x, y in line.points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3" fill="{colour}"/>' for x, y in line.points]
        height = TOP + 12 + number * 20
        parts.append(f'<path d="M{WIDTH - RIGHT + 16} {height}h20" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 42}" y="{height + 4}">{escape(line.name)}</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"

"""Curves as SVG: same points, same bytes; colours come from the page, so light and dark both fit."""

import hashlib
import io
import math
import re
import warnings
from html import escape
from typing import Any

from hornbook.core.units import human_count
from hornbook.report.blocks import Series, clean
from hornbook.report.style import INK, LINE_COLOURS, RC

MAX_POINTS = 600


def svg(series: Series, width_in: float = 9.4, height_in: float = 3.2) -> str:
    """The curves as one `<svg>` element without ids, clocks or outside references.

    Points that are not finite leave a gap. Returns an empty string when there is nothing to draw.
    """
    lines = {name: points for name, points in series.lines.items() if any(_finite(point) for point in points)}
    if not lines:
        return ""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(RC), warnings.catch_warnings():
        # Letters that matplotlib's own font lacks: the page shows them with the reader's fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        _draw(axes, lines)
        axes.set_xlabel(_label(series.x_label), parse_math=False)
        axes.set_ylabel(_label(series.y_label), parse_math=False)
        axes.margins(x=0.01)
        axes.xaxis.set_major_formatter(lambda value, _: human_count(round(value, 9)))
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None})
    return _inline(out.getvalue(), clean(series.title))


def thinned(points: list[tuple[float, float]], most: int = MAX_POINTS) -> list[tuple[float, float]]:
    """At most about `most` points; each bucket keeps its lowest and highest, so that spikes stay visible."""
    if len(points) <= most:
        return points
    size = math.ceil(2 * len(points) / most)
    kept: list[tuple[float, float]] = [points[0]]
    for start in range(1, len(points) - 1, size):
        bucket = [point for point in points[start : min(start + size, len(points) - 1)] if _finite(point)]
        if bucket:
            kept += sorted({min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])})
    return [*kept, points[-1]]


def _draw(axes: Any, lines: dict[str, list[tuple[float, float]]]) -> None:
    for colour, (name, points) in zip(_cycled(len(lines)), lines.items(), strict=True):
        shown = thinned(points)
        xs = [x for x, _ in shown]
        ys = [y if math.isfinite(y) else math.nan for _, y in shown]
        marker = "o" if len(shown) < 12 else None
        axes.plot(xs, ys, color=colour, label=_label(name), marker=marker, markersize=3)
    axes.set_ylim(*_limits([y for points in lines.values() for _, y in points if math.isfinite(y)]))
    if len(lines) > 1:
        legend = axes.legend()
        for text in legend.get_texts():
            text.set_parse_math(False)


def _limits(values: list[float]) -> tuple[float | None, float | None]:
    """Limits that a few extreme first values (a loss before the first step) cannot spoil."""
    ordered = sorted(values)
    low, high = ordered[0], ordered[min(len(ordered) - 1, int(0.98 * len(ordered)))]
    if ordered[-1] <= high + 1.5 * (high - low) or high == low:
        return None, None
    room = 0.06 * (high - low)
    return low - room, high + 4 * room


def _cycled(count: int) -> list[str]:
    return [LINE_COLOURS[i % len(LINE_COLOURS)] for i in range(count)]


def _finite(point: tuple[float, float]) -> bool:
    return math.isfinite(point[0]) and math.isfinite(point[1])


def _label(text: str) -> str:
    return clean(text).lstrip("_")[:80]


def _inline(document: str, title: str) -> str:
    """The `<svg>` element alone: page colours for ours, ids made unique by the title, a name for screen readers."""
    body = document[document.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    tag = hashlib.blake2b(body.encode() + title.encode(), digest_size=4).hexdigest()
    body = re.sub(r'\bid="([^"]+)"', rf'id="{tag}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{tag}-\1)", body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{tag}-\1"', body)
    body = body.replace(INK, "currentColor")
    for place, colour in enumerate(LINE_COLOURS, 1):
        body = body.replace(colour, f"var(--line-{place})")
    body = re.sub(r"<svg [^>]*?viewBox=\"([^\"]+)\"[^>]*>", _opening(title), body, count=1, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in body.splitlines() if line.strip()).replace(
        "<svg ", f'<svg aria-label="{escape(title, quote=True)}" ', 1
    )


def _opening(title: str) -> str:
    return r'<svg role="img" viewBox="\1" xmlns:xlink="http://www.w3.org/1999/xlink" class="plot">'

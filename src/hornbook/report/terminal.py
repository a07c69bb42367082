"""The same blocks for a terminal: tables, bars and curves in characters, nothing that data could smuggle in."""

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from hornbook.core.units import human_count
from hornbook.report.blocks import (
    Block,
    Flow,
    Funnel,
    Samples,
    ScoreRow,
    Scores,
    Series,
    Spreads,
    Table,
    Text,
    clean,
    number,
    quantity,
    share,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text as Words

PLOT_ROWS = 8
PLOT_COLUMNS = 64
SAMPLE_CHARS = 700
MAX_ROWS = 40
BAR_COLUMNS = 24
SHORT_CHARS = 20
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of a braille character: rows from the top, left and right."""


def show(blocks: list[Block], console: "Console", num_samples: int = 3) -> None:
    """Print blocks. `num_samples`: how many items of each Samples block."""
    from rich.text import Text as Words

    for block in blocks:
        title = clean(block.title)
        if title:
            console.print()
            console.print(Words(title, style="bold"))
        if isinstance(block, Text):
            console.print(Words(clean(block.body)))
        elif isinstance(block, Table):
            console.print(_table(block))
            _note(block.note, console)
            if len(block.rows) > MAX_ROWS:
                _note(f"{len(block.rows) - MAX_ROWS} more rows are not shown.", console)
        elif isinstance(block, Series):
            console.print(Words(plot(block)))
        elif isinstance(block, Samples):
            _samples(block, console, num_samples)
        elif isinstance(block, Funnel):
            _funnel(block, console)
        elif isinstance(block, Flow):
            _flow(block, console)
        elif isinstance(block, Spreads):
            rows = [
                [row.name, sparkline([float(n) for n in row.counts], SHORT_CHARS), *row.cells] for row in block.rows
            ]
            console.print(_table(Table("", ["", "spread", *block.columns], rows)))
            _note(block.note, console)
        else:
            _scores(block, console)


def plot(series: Series, columns: int = PLOT_COLUMNS, rows: int = PLOT_ROWS) -> str:
    """Curves in braille dots, each line of the series below the other, with the ends of both axes.

    Returns a sentence when there is nothing to draw.
    """
    drawn = [_one_plot(name, points, series, columns, rows) for name, points in series.lines.items()]
    return "\n".join(text for text in drawn if text) or "Nothing to draw yet."


def sparkline(values: list[float], columns: int = 40) -> str:
    """Values as one line of blocks, the lowest as `▁` and the highest as `█`; gaps where they are not finite.

    >>> sparkline([1.0, 2.0, 3.0])
    '▁▅█'
    """
    step = max(1, math.ceil(len(values) / columns))
    means = [_mean(values[i : i + step]) for i in range(0, len(values), step)]
    finite = [value for value in means if _drawable(value)]
    if not finite:
        return ""
    low, span = min(finite), max(finite) - min(finite)
    marks = "▁▂▃▄▅▆▇█"
    return "".join(
        marks[min(7, int(8 * (value - low) / span)) if span else 3] if _drawable(value) else " " for value in means
    )


def _one_plot(name: str, points: list[tuple[float, float]], series: Series, columns: int, rows: int) -> str:
    found = [(x, y) for x, y in points if _drawable(x) and _drawable(y)]
    if not found:
        return ""
    low_x, high_x = min(x for x, _ in found), max(x for x, _ in found)
    low_y, high_y = min(y for _, y in found), max(y for _, y in found)
    cells = [[0] * columns for _ in range(rows)]
    for x, y in _joined(sorted(found), 2 * columns):
        column = round((x - low_x) / ((high_x - low_x) or 1.0) * (2 * columns - 1))
        row = round((high_y - y) / ((high_y - low_y) or 1.0) * (4 * rows - 1))
        cells[row // 4][column // 2] |= DOTS[row % 4][column % 2]
    labels = [f"{high_y:.4g}", *[""] * (rows - 2), f"{low_y:.4g}"]
    width = max(len(label) for label in labels)
    lines = [
        f"{label:>{width}} ┤{''.join(chr(0x2800 + cell) for cell in row)}"
        for label, row in zip(labels, cells, strict=True)
    ]
    first, last = human_count(low_x), human_count(high_x)
    ends = f"{first}{clean(series.x_label):^{max(1, columns - len(first) - len(last))}}{last}"
    unit = f" ({clean(series.y_label)})" if series.y_label else ""
    return "\n".join([f"{clean(name)}{unit}: {found[0][1]:.4g} → {found[-1][1]:.4g}", *lines, " " * (width + 2) + ends])


def _joined(points: list[tuple[float, float]], steps: int) -> list[tuple[float, float]]:
    """The points and, between neighbours, those on the straight line: about one for each of `steps`."""
    found = list(points)
    whole = points[-1][0] - points[0][0]
    for (x1, y1), (x2, y2) in pairwise(points):
        between = int(steps * (x2 - x1) / whole) if whole else 0
        found += [(x1 + (x2 - x1) * i / between, y1 + (y2 - y1) * i / between) for i in range(1, between)]
    return found


def _table(block: Table) -> "RichTable":
    table = _plain_table()
    rows = block.rows[:MAX_ROWS]
    for place, column in enumerate(block.columns):
        cells = [row[place] for row in rows if row[place] not in (None, "")]
        numeric = bool(cells) and all(isinstance(c, (int, float)) and not isinstance(c, bool) for c in cells)
        short = all(len(number(cell)) <= SHORT_CHARS for cell in cells)
        table.add_column(_words(column), justify="right" if numeric else "left", overflow="fold", no_wrap=short)
    for row in rows:
        table.add_row(*(_words(number(cell)) for cell in row))
    return table


def _funnel(block: Funnel, console: "Console") -> None:
    kept = share(block.num_kept, block.num_in)
    console.print(_words(f"{block.num_kept:,} of {block.num_in:,} {block.unit} stayed ({kept})."))
    most = max(block.dropped.values(), default=0)
    if most:
        table = _plain_table()
        for column in ("left out by", block.unit, "of all", ""):
            table.add_column(_words(column), justify="right" if column in (block.unit, "of all") else "left")
        for rule, count in sorted(block.dropped.items(), key=lambda item: (-item[1], item[0])):
            bar = "█" * max(1, round(BAR_COLUMNS * count / most)) if count else ""
            table.add_row(_words(rule), number(count), share(count, block.num_in), bar)
        console.print(table)
    edited = ", ".join(f"{rule} {count:,}" for rule, count in sorted(block.edited.items()) if count)
    _note(f"Edited by rule: {edited}." if edited else "", console)


def _flow(block: Flow, console: "Console") -> None:
    """One line for each step as wide as what stayed, and what left it."""
    most = max((step.num_in for step in block.steps), default=0) or 1
    table = _plain_table()
    for column in ("step", block.unit, "of all", "", "left out by"):
        table.add_column(_words(column), justify="right" if column in (block.unit, "of all") else "left")
    for step in block.steps:
        lost = sorted(step.dropped.items(), key=lambda item: (-item[1], item[0]))
        said = ", ".join(f"{rule} {count:,}" for rule, count in lost[:4] if count)
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        bar = "█" * max(1, round(BAR_COLUMNS * step.num_kept / most))
        cells = (number(step.num_kept), share(step.num_kept, most), bar)
        table.add_row(_words(step.name), *cells, _words(said + more or step.note))
    console.print(table)
    _note(block.note, console)


def _scores(block: Scores, console: "Console") -> None:
    table = _plain_table()
    for column in ("score", "value", "95 % interval", "cases", "baseline", "bar"):
        table.add_column(column, justify="left" if column in ("score", "bar") else "right", overflow="fold")
    for row in block.rows:
        table.add_row(*(_words(cell) for cell in score_cells(row)))
    console.print(table)


def score_cells(row: ScoreRow) -> tuple[str, str, str, str, str, str]:
    """A score's cells: name, value, interval, cases, baseline, bar with its verdict."""
    unit = "" if row.unit in ("share", row.name) else f" {row.unit}"
    sign = "≥" if row.higher_is_better else "≤"
    bar = f"{sign} {quantity(row.bar, row.unit)} {'met' if row.met else 'missed'}" if row.bar is not None else ""
    return (
        row.name,
        quantity(row.value, row.unit) + unit,
        f"{quantity(row.low, row.unit)} – {quantity(row.high, row.unit)}",
        number(row.num_cases),
        quantity(row.baseline, row.unit),
        bar,
    )


def _samples(block: Samples, console: "Console", most: int) -> None:
    from rich.text import Text as Words

    for place, item in enumerate(block.items[:most]):
        if place:
            console.print(Words("·", style="dim"))
        for name, text in item.items():
            shown = clean(text)
            cut = shown if len(shown) <= SAMPLE_CHARS else f"{shown[:SAMPLE_CHARS]} … ({len(shown):,} characters)"
            console.print(Words.assemble((f"{clean(name)}  ", "dim"), cut))
    if len(block.items) > most:
        _note(f"{len(block.items) - most} more (--samples {len(block.items)}).", console)


def _plain_table() -> "RichTable":
    from rich import box
    from rich.table import Table as RichTable

    return RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")


def _note(text: str, console: "Console") -> None:
    from rich.text import Text as Words

    if text:
        console.print(Words(clean(text), style="dim"))


def _words(text: str) -> "Words":
    """Text that rich shows as it is: no markup, no control characters."""
    from rich.text import Text as Words

    return Words(clean(text))


def _drawable(value: float) -> bool:
    """Finite, and small enough that differences are finite too."""
    return abs(value) < 1e300


def _mean(values: list[float]) -> float:
    finite = [value for value in values if _drawable(value)]
    return sum(finite) / len(finite) if finite else math.nan

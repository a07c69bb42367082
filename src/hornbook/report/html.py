"""One self-contained page of a run: no scripts, no outside requests, everything that came from data escaped."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.report.blocks import (
    SHARE_UNITS,
    Block,
    Flow,
    Funnel,
    Samples,
    ScoreRow,
    Scores,
    Series,
    Spread,
    Spreads,
    Table,
    Text,
    clean,
    number,
    quantity,
    share,
)
from hornbook.report.flow import flow_svg
from hornbook.report.plot import svg

MAX_ROWS = 60
SHOWN_SAMPLES = 3
MAX_SAMPLES = 40
MAX_SAMPLE_CHARS = 2_000


@dataclass(frozen=True)
class Section:
    """One stage on the page. `state`: `complete`, `running`, `stopped` or `failed`."""

    number: str
    title: str
    stage: str
    summary: str = ""
    state: str = "complete"
    blocks: list[Block] = field(default_factory=list[Block])
    settings: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    origin: str = ""


@dataclass(frozen=True)
class Page:
    """A run as a reader meets it: how it stands, what came out, what to try next, then stage by stage."""

    title: str
    state: str
    subtitle: str = ""
    problem: str = ""
    tiles: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    blocks: list[Block] = field(default_factory=list[Block])
    next: list[str] = field(default_factory=list[str])
    overview: list[Block] = field(default_factory=list[Block])
    sections: list[Section] = field(default_factory=list[Section])
    provenance: list[Block] = field(default_factory=list[Block])
    files: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    footer: str = ""


def ticked(text: str) -> Any:
    """Plain text as HTML: escaped, and what stands between backticks as code.

    >>> str(ticked("say `a < b` & go"))
    'say <code>a &lt; b</code> &amp; go'
    """
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`\n]+)`", r"<code>\1</code>", str(escape(text))))


def render(page: Page) -> str:
    """The page as HTML. The same page gives the same bytes."""
    import jinja2
    from markupsafe import Markup

    here = Path(__file__).parent
    loader = jinja2.FileSystemLoader(here)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["ticked"] = ticked
    css = Markup((here / "page.css").read_text(encoding="utf-8"))
    sections = [_section(section) for section in page.sections]
    shown = {
        "title": clean(page.title),
        "state": page.state,
        "subtitle": clean(page.subtitle),
        "problem": clean(page.problem),
        "tiles": [(clean(value), clean(label)) for value, label in page.tiles],
        "blocks": [prepare(block) for block in page.blocks],
        "next": [clean(item) for item in page.next],
        "overview": [prepare(block) for block in page.overview],
        "provenance": [prepare(block) for block in page.provenance],
        "files": [(clean(title), clean(text)) for title, text in page.files],
        "footer": clean(page.footer),
    }
    return environment.get_template("page.html.jinja").render(page=shown, sections=sections, css=css)


def prepare(block: Block) -> dict[str, Any]:
    """A block as the template needs it: strings only, long things cut, plots drawn."""
    title = clean(block.title)
    made: dict[type[Any], Callable[[Any], dict[str, Any]]] = {
        Text: _text,
        Table: _table,
        Series: _series,
        Samples: _samples,
        Funnel: _funnel,
        Flow: _flow,
        Spreads: _spreads,
        Scores: _scores,
    }
    return {"kind": type(block).__name__, "title": title, "note": "", **made[type(block)](block)}


def _section(section: Section) -> dict[str, Any]:
    return {
        "number": section.number,
        "anchor": f"stage-{section.number}",
        "title": clean(section.title),
        "stage": clean(section.stage),
        "summary": clean(section.summary),
        "state": section.state,
        "blocks": [prepare(block) for block in section.blocks],
        "settings": [(clean(name), clean(value)) for name, value in section.settings],
        "origin": clean(section.origin),
    }


def _text(block: Text) -> dict[str, Any]:
    return {"paragraphs": [part for part in clean(block.body).split("\n\n") if part.strip()]}


def _table(block: Table) -> dict[str, Any]:
    rows = block.rows[:MAX_ROWS]
    width = len(block.columns)
    numeric = [
        any(_is_number(row[i]) for row in rows) and all(_is_number(row[i]) or row[i] in (None, "") for row in rows)
        for i in range(width)
    ]
    return {
        "columns": [clean(column) for column in block.columns],
        "rows": [[number(cell) for cell in row] for row in rows],
        "numeric": numeric,
        "hidden": len(block.rows) - len(rows),
        "note": clean(block.note),
    }


def _series(block: Series) -> dict[str, Any]:
    from markupsafe import Markup

    drawn = svg(block)
    return {"svg": Markup(drawn), "note": "" if drawn else "Nothing to draw yet."}


def _samples(block: Samples) -> dict[str, Any]:
    items = [[(clean(name), _cut(clean(text))) for name, text in item.items()] for item in block.items[:MAX_SAMPLES]]
    if block.folded:
        return {"title": "", "shown": [], "folded": items, "summary": clean(block.title)}
    folded = items[SHOWN_SAMPLES:]
    return {"shown": items[:SHOWN_SAMPLES], "folded": folded, "summary": f"{len(folded)} more"}


def _cut(text: str) -> str:
    if len(text) <= MAX_SAMPLE_CHARS:
        return text
    return f"{text[:MAX_SAMPLE_CHARS]} … ({len(text) - MAX_SAMPLE_CHARS:,} more characters)"


def _funnel(block: Funnel) -> dict[str, Any]:
    most = max(block.dropped.values(), default=0)
    ordered = sorted(block.dropped.items(), key=lambda item: (-item[1], item[0]))
    bars = [
        {
            "name": clean(rule),
            "count": number(count),
            "share": share(count, block.num_in),
            "width": f"{100 * count / most:.1f}" if most else "0",
        }
        for rule, count in ordered
        if count
    ]
    kept = f"{block.num_kept:,} of {block.num_in:,} {clean(block.unit)} stayed ({share(block.num_kept, block.num_in)})."
    edited = ", ".join(f"{clean(rule)} {count:,}" for rule, count in sorted(block.edited.items()) if count)
    return {"sentence": kept, "bars": bars, "edited": edited, "unit": clean(block.unit), "heading": "left out by"}


def _flow(block: Flow) -> dict[str, Any]:
    from markupsafe import Markup

    return {"svg": Markup(flow_svg(block)), "note": clean(block.note)}


def _spreads(block: Spreads) -> dict[str, Any]:
    rows = [
        {"name": clean(row.name), "drawing": _bars(row), "cells": list(map(number, row.cells))} for row in block.rows
    ]
    numeric = [all(_is_number(row.cells[i]) for row in block.rows) for i in range(len(block.columns))]
    return {"columns": list(map(clean, block.columns)), "numeric": numeric, "rows": rows, "note": clean(block.note)}


def _bars(row: Spread) -> Any:
    """A small histogram; the limit as a tick, the ends of the axis as words."""
    from markupsafe import Markup

    most, width = max(row.counts, default=0) or 1, 100 / max(1, len(row.counts))
    parts = [
        f'<rect x="{i * width:.2f}" width="{0.92 * width:.2f}" y="{24 - height:.2f}" height="{height:.2f}"/>'
        for i, count in enumerate(row.counts)
        if (height := max(1.0, 22 * count / most) if count else 0.0)
    ]
    if row.mark is not None:
        at = min(100.0, max(0.0, 100 * (row.mark - row.low) / ((row.high - row.low) or 1.0)))
        parts.append(f'<line x1="{at:.2f}" x2="{at:.2f}" y1="0" y2="24"/>')
    said = f"{sum(row.counts):,} values from {number(float(row.low))} to {number(float(row.high))}"
    opening = f'<svg class="bars" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="{said}">'
    ends = f"<div class=ends><span>{number(float(row.low))}</span><span>{number(float(row.high))}</span></div>"
    return Markup(opening + "".join(parts) + "</svg>" + ends)


def _scores(block: Scores) -> dict[str, Any]:
    rows = [_score(row) for row in block.rows]
    return {"rows": rows}


def _score(row: ScoreRow) -> dict[str, Any]:
    sign = "≥" if row.higher_is_better else "≤"
    return {
        "name": clean(row.name),
        "value": quantity(row.value, row.unit),
        "unit": "" if row.unit in SHARE_UNITS or row.unit == row.name else clean(row.unit),
        "interval": f"{quantity(row.low, row.unit)} – {quantity(row.high, row.unit)}",
        "drawing": _interval(row),
        "num_cases": number(row.num_cases),
        "baseline": quantity(row.baseline, row.unit),
        "bar": f"{sign} {quantity(row.bar, row.unit)}" if row.bar is not None else "",
        "verdict": {True: "met", False: "missed", None: ""}[row.met],
        "protocol": clean(row.protocol),
    }


def _interval(row: ScoreRow) -> Any:
    """A small drawing: the interval, the value as a dot, the baseline and the bar as ticks."""
    from markupsafe import Markup

    marks = [row.value, row.low, row.high, *(x for x in (row.baseline, row.bar) if x is not None)]
    share_like = all(0 <= mark <= 1 for mark in marks)
    low, high = (0.0, 1.0) if share_like else (min(marks), max(marks))
    span = (high - low) or 1.0
    low, span = (low, span) if share_like else (low - 0.08 * span, 1.16 * span)

    def at(value: float) -> str:
        return f"{100 * (value - low) / span:.2f}"

    parts = [
        '<line x1="0" x2="100" y1="8" y2="8" stroke="var(--rule)" stroke-width="1"/>',
        f'<line x1="{at(row.low)}" x2="{at(row.high)}" y1="8" y2="8" stroke="var(--line-1)" stroke-width="3"/>',
    ]
    if row.baseline is not None:
        where = at(row.baseline)
        parts.append(f'<line x1="{where}" x2="{where}" y1="4" y2="12" stroke="var(--soft)" stroke-width="1"/>')
    if row.bar is not None:
        where = at(row.bar)
        colour = "var(--good)" if row.met else "var(--bad)"
        parts.append(f'<line x1="{where}" x2="{where}" y1="1" y2="15" stroke="{colour}" stroke-width="1"/>')
    where = at(row.value)
    parts.append(f'<line x1="{where}" x2="{where}" y1="4" y2="12" stroke="var(--line-1)" stroke-width="2.5"/>')
    said = f"{number(float(row.value))}, interval {number(float(row.low))} to {number(float(row.high))}"
    opening = f'<svg class="interval" viewBox="0 0 100 16" preserveAspectRatio="none" role="img" aria-label="{said}">'
    return Markup(opening + "".join(parts) + "</svg>")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

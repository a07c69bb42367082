"""Chosen blocks of a page as text: one line a paragraph, lists, tables, code as it stands; or as Markdown."""

import re
from copy import copy
from dataclasses import dataclass
from itertools import pairwise

from hornbook.data.html.blocks import RAW, Blocks

HEADINGS = {f"h{i}": i for i in range(1, 7)}
LISTS = frozenset(("ul", "ol", "menu", "dir"))
PLACED = frozenset((*HEADINGS, *LISTS, *RAW, "blockquote", "li", "table", "tr", "td", "th"))
LANGUAGE = re.compile(
    r"\b(?:lang(?:uage)?-|brush:\s*|highlight-source-|highlight-text-|sourceCode\s+|data-lang(?:uage)?=[\"'])([\w+#-]+)"
)
MAX_CELL_CHARS = 600
"""A table with a longer cell lays out a page."""


@dataclass(slots=True)
class Place:
    """Where a block stands."""

    heading: int = 0
    quoted: bool = False
    raw: int = -1
    item: int = -1
    depth: int = 0
    cell: int = -1
    row: int = -1
    table: int = -1


def render(page: Blocks, keep: list[int], markdown: bool = False, emphasis: bool = True) -> str:
    """The text of the blocks `keep` (positions, ascending)."""
    of_elements = places_of(page, {page.blocks[i].element for i in keep})
    places = [of_elements[page.blocks[i].element] for i in keep]
    tables = data_tables(page, keep, places, of_elements)
    numbers = ordinals(page)
    out: list[str] = []
    position = 0
    last_item = -1
    previous = Place()
    while position < len(keep):
        place = places[position]
        end = position + 1
        if place.table in tables:
            while end < len(keep) and places[end].table == place.table:
                end += 1
            text = table_text([page.blocks[i].text for i in keep[position:end]], places[position:end], markdown)
        else:
            text = _marked(page.blocks[keep[position]].text, place, markdown, emphasis)
            if place.raw >= 0:
                while end < len(keep) and places[end].raw == place.raw:
                    text += "\n" * (not text.endswith("\n")) + page.blocks[keep[end]].text
                    end += 1
                text = code_text(page, text, place.raw, markdown)
            if not text:
                position = end
                continue
            if place.item >= 0:
                indent = "  " * (place.depth - 1)
                if place.item != last_item:
                    number = numbers.get(place.item)
                    text = indent + (f"{number}. " if number else "- ") + text
                elif markdown:
                    text = indent + "  " + re.sub("\n(?!\n)", "\n" + indent + "  ", text)
            if markdown and place.heading:
                text = "#" * place.heading + " " + text.replace("\n", " ")
            if markdown and place.quoted:
                text = "> " + text.replace("\n", "\n> ")
        last_item = place.item
        together = not markdown or (place.item >= 0 and previous.item >= 0)
        out += ["\n" if together else "\n\n", text] if out else [text]
        previous = place
        position = end
    return "".join(out).strip("\n")


def places_of(page: Blocks, elements: set[int]) -> dict[int, Place]:
    """What elements and those around them say about the text in them."""
    needed: set[int] = set()
    for i in elements:
        while i not in needed:
            needed.add(i)
            i = page.elements[i].parent
    places: dict[int, Place] = {}
    for i in sorted(needed):
        name, outer = page.elements[i].name, places.get(page.elements[i].parent) or Place()
        if name not in PLACED:
            places[i] = outer
            continue
        place = places[i] = copy(outer)
        if name in HEADINGS:
            place.heading = HEADINGS[name]
        elif name in RAW:
            place.raw = i if outer.raw < 0 else outer.raw
        elif name == "blockquote":
            place.quoted = True
        elif name in LISTS:
            place.depth = outer.depth + 1
        elif name == "li":
            place.item, place.depth = i, max(outer.depth, 1)
        elif name == "table":
            place.table, place.row, place.cell, place.item, place.depth = i, -1, -1, -1, 0
        elif name == "tr":
            place.row = i
        else:
            place.cell = i
    return places


def ordinals(page: Blocks) -> dict[int, int]:
    """The number of each item of an ordered list."""
    numbers: dict[int, int] = {}
    counts: dict[int, int] = {}
    for i, element in enumerate(page.elements):
        if element.name == "li" and page.elements[element.parent].name == "ol":
            start = re.search(r"\bstart\s*=\s*[\"']?(\d{1,6})", page.elements[element.parent].attrs)
            counts[element.parent] = counts.get(element.parent, int(start.group(1)) - 1 if start else 0) + 1
            numbers[i] = counts[element.parent]
    return numbers


def data_tables(page: Blocks, keep: list[int], places: list[Place], of_elements: dict[int, Place]) -> set[int]:
    """The tables that hold data: at least two kept cells in some row, no cell that is a text, no table inside."""
    longest: dict[int, int] = {}
    cells: dict[int, set[int]] = {}
    per_cell: dict[int, int] = {}
    bad: set[int] = set()
    for i, place in zip(keep, places, strict=True):
        table = place.table
        if table < 0:
            continue
        if place.cell < 0 or place.row < 0 or place.raw >= 0:
            if place.raw >= 0:
                bad.add(table)
            continue
        longest[table] = max(longest.get(table, 0), len(page.blocks[i].text))
        cells.setdefault(place.row, set()).add(place.cell)
        per_cell[place.cell] = per_cell.get(place.cell, 0) + 1
        if per_cell[place.cell] > 8:
            bad.add(table)
    wide = {place.table for place in places if place.row >= 0 and len(cells.get(place.row, ())) > 1}
    outer = {of_elements[page.elements[table].parent].table for table in longest}
    return {table for table, size in longest.items() if size <= MAX_CELL_CHARS and table in wide} - bad - outer


def table_text(texts: list[str], places: list[Place], markdown: bool) -> str:
    """Rows of `a | b`; what stands in no cell (a caption) gets a line of its own."""
    head: list[str] = []
    rows: dict[int, dict[int, list[str]]] = {}
    for text, place in zip(texts, places, strict=True):
        text = unmarked(text).replace("\n", " ")
        if place.cell < 0 or place.row < 0:
            head.append(text)
        else:
            rows.setdefault(place.row, {}).setdefault(place.cell, []).append(text)
    lines = [[" ".join(cell) for cell in row.values()] for row in rows.values()]
    if not markdown:
        return "\n".join([*head, *(" | ".join(line) for line in lines)])
    width = max(map(len, lines), default=0)
    table = [
        "| " + " | ".join(c.replace("|", "\\|") for c in line + [""] * (width - len(line))) + " |" for line in lines
    ]
    table.insert(1, "|" + " --- |" * width)
    return "\n".join(head) + "\n\n" * bool(head) + "\n".join(table)


def unmarked(text: str) -> str:
    """A text without marks of inline elements."""
    return text if text.isprintable() else re.sub("[\x02-\x06]", "", text)


def _marked(text: str, place: Place, markdown: bool, emphasis: bool) -> str:
    """A text with its inline marks as Markdown, or without them."""
    if text.isprintable():
        return text
    if not markdown or place.raw >= 0:
        return re.sub("[\x02-\x06]", "", text)
    text = re.sub(
        "\x02([^\x02]*)\x02", lambda found: f"`{found.group(1)}`" if found.group(1).strip() else found.group(1), text
    )
    for mark, sign in (("\x03", "**"), ("\x04", "*")):
        if emphasis and not place.heading:
            text = re.sub(f"{mark}(\\s*)([^{mark}\n]+?)(\\s*){mark}", rf"\1{sign}\2{sign}\3", text)
    return re.sub("[\x02-\x06]", "", text)


def code_text(page: Blocks, text: str, element: int, markdown: bool) -> str:
    """Code as it stands, without the line numbers beside it; empty when there are only numbers."""
    text = re.sub("[\x02-\x06]", "", text).strip("\n").rstrip()
    lines = text.split("\n")
    if len(lines) > 1 and _counts_up(lines):
        return ""
    if not markdown:
        return text
    found = None
    attrs = [page.elements[element].attrs]
    above = page.elements[element].parent
    attrs += [page.elements[above].attrs, page.elements[page.elements[above].parent].attrs]
    attrs.insert(0, page.codes.get(element, ""))
    for words in attrs:
        found = found or LANGUAGE.search(words)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{found.group(1) if found else ''}\n{text}\n{fence}"


def _counts_up(lines: list[str]) -> bool:
    """Whether the lines are numbers, each one more than the one before."""
    if not all(line.strip().isdecimal() and len(line) < 12 for line in lines):
        return False
    numbers = [int(line) for line in lines]
    return all(b == a + 1 for a, b in pairwise(numbers))

"""Chosen blocks of a page as text: one line a paragraph, lists, tables, code as it stands; or as Markdown."""

import re
from dataclasses import dataclass
from itertools import pairwise

from hornbook.data.html.blocks import CELLS, RAW, Blocks
from hornbook.data.html.marks import unmarked

HEADINGS = {f"h{i}": i for i in range(1, 7)}
LISTS = frozenset(("ul", "ol", "menu", "dir"))
PLACED = frozenset((*HEADINGS, *LISTS, *RAW, *CELLS, "blockquote", "li", "table", "tr"))
LANGUAGE = re.compile(
    r"\b(?:lang(?:uage)?-|brush:\s*|highlight-source-|highlight-text-|sourceCode\s+|data-lang(?:uage)?=[\"'])([\w+#-]+)"
)
INLINE_CODE = re.compile("\x02([^\x02]*)\x02")
EMPHASIS = tuple(
    (re.compile(f"{begin}(\\s*)([^{begin}{end}\n]+?)(\\s*){end}"), rf"\1{sign}\2{sign}\3")
    for begin, end, sign in (("\x03", "\x04", "**"), ("\x05", "\x06", "*"))
)
FENCE = re.compile("`{3,}")
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

    def copy(self) -> "Place":
        """Another one with the same values (`copy.copy` takes five times as long)."""
        return Place(self.heading, self.quoted, self.raw, self.item, self.depth, self.cell, self.row, self.table)


def render(page: Blocks, keep: list[int], markdown: bool = False, emphasis: bool = True) -> str:
    """The text of the blocks `keep` (positions, ascending)."""
    of_elements = places_of(page, {page.element_of[i] for i in keep})
    places = [of_elements[page.element_of[i]] for i in keep]
    tables = data_tables(page, keep, places, of_elements)
    numbers = ordinals(page)
    begun: set[int] = set()
    out: list[str] = []
    previous = Place()
    position = 0
    while position < len(keep):
        place = places[position]
        end = _end_of_run(places, position, tables)
        if place.table in tables:
            text = table_text(page, keep[position:end], places[position:end], markdown)
        elif place.raw >= 0:
            text = code_text(page, keep[position:end], place.raw, markdown)
        else:
            text = _marked(page.marked[keep[position]], place, markdown, emphasis)
        position = end
        if not text:
            continue
        if place.table not in tables:
            text = _in_place(text, place, numbers, begun, markdown)
        together = not markdown or (place.item >= 0 and previous.item >= 0)
        out += ["\n" if together else "\n\n", text] if out else [text]
        previous = place
    return "".join(out).strip("\n")


def _end_of_run(places: list[Place], position: int, tables: set[int]) -> int:
    """Where the table or the code ends that begins at a position; other blocks stand alone."""
    place, end = places[position], position + 1
    if place.table in tables:
        while end < len(places) and places[end].table == place.table:
            end += 1
    elif place.raw >= 0:
        while end < len(places) and places[end].raw == place.raw:
            end += 1
    return end


def _in_place(text: str, place: Place, numbers: dict[int, int], begun: set[int], markdown: bool) -> str:
    """A text with the signs of its heading, list item (`begun`: those written already) and quotation."""
    if markdown and place.heading:
        text = "#" * place.heading + " " + text.replace("\n", " ")
    if place.item >= 0:
        indent = "  " * (place.depth - 1)
        if markdown:
            text = re.sub("\n(?!\n)", "\n" + indent + "  ", text)
        if place.item not in begun:
            begun.add(place.item)
            number = numbers.get(place.item)
            text = indent + (f"{number}. " if number else "- ") + text
        elif markdown:
            text = indent + "  " + text
    if markdown and place.quoted:
        text = "> " + text.replace("\n", "\n> ")
    return text


def places_of(page: Blocks, elements: set[int]) -> dict[int, Place]:
    """What elements and those around them say about the text in them."""
    needed: set[int] = set()
    for i in elements:
        while i not in needed:
            needed.add(i)
            i = page.parents[i]
    places: dict[int, Place] = {}
    for i in sorted(needed):
        name, outer = page.names[i], places.get(page.parents[i]) or Place()
        if name not in PLACED:
            places[i] = outer
            continue
        place = places[i] = outer.copy()
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
    if "ol" not in page.names:
        return numbers
    counts: dict[int, int] = {}
    for i, name in enumerate(page.names):
        around = page.parents[i]
        if name == "li" and page.names[around] == "ol":
            if around not in counts:
                start = re.search(r"\bstart\s*=\s*[\"']?(\d{1,6})", page.attrs[around])
                counts[around] = int(start.group(1)) - 1 if start else 0
            counts[around] += 1
            numbers[i] = counts[around]
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
        longest[table] = max(longest.get(table, 0), len(page.texts[i]))
        cells.setdefault(place.row, set()).add(place.cell)
        per_cell[place.cell] = per_cell.get(place.cell, 0) + 1
        if per_cell[place.cell] > 8:
            bad.add(table)
    wide = {place.table for place in places if place.row >= 0 and len(cells.get(place.row, ())) > 1}
    outer = {of_elements[page.parents[table]].table for table in longest}
    return {table for table, size in longest.items() if size <= MAX_CELL_CHARS and table in wide} - bad - outer


def table_text(page: Blocks, kept: list[int], places: list[Place], markdown: bool) -> str:
    """Rows of `a | b`; what stands in no cell (a caption) gets a line of its own."""
    head: list[str] = []
    rows: dict[int, dict[int, list[str]]] = {}
    for i, place in zip(kept, places, strict=True):
        text = unmarked(page.marked[i]).replace("\n", " ")
        if place.cell < 0 or place.row < 0:
            head.append(text)
        else:
            rows.setdefault(place.row, {}).setdefault(place.cell, []).append(text)
    lines = _lines_of(page, rows)
    if not markdown:
        lines = [line if sum(map(bool, line)) > 1 else line[-1:] for line in lines]
        return "\n".join([*head, *map(" | ".join, lines)])
    width = max(map(len, lines), default=0)
    table = [
        "| " + " | ".join(c.replace("|", "\\|") for c in line + [""] * (width - len(line))) + " |" for line in lines
    ]
    table.insert(1, "|" + " --- |" * width)
    return "\n".join(head) + "\n\n" * bool(head) + "\n".join(table)


def _lines_of(page: Blocks, rows: dict[int, dict[int, list[str]]]) -> list[list[str]]:
    """The cells of each row, empty ones in their places; none at the end of a row, and no column of them."""
    cells = {row: set(found) for row, found in rows.items()}
    for i in range(min(rows, default=0), max(map(max, cells.values()), default=0)):
        if page.names[i] in CELLS and page.parents[i] in cells:
            cells[page.parents[i]].add(i)
    lines = [[" ".join(found.get(cell, ())) for cell in sorted(cells[row])] for row, found in rows.items()]
    used = sorted({i for line in lines for i, text in enumerate(line) if text})
    lines = [[line[i] for i in used if i < len(line)] for line in lines]
    for line in lines:
        while line and not line[-1]:
            line.pop()
    return lines


def _marked(text: str, place: Place, markdown: bool, emphasis: bool) -> str:
    """A text with its inline marks as Markdown, or without them."""
    if text.isprintable() or not markdown:
        return unmarked(text)
    text = INLINE_CODE.sub(lambda found: f"`{found.group(1)}`" if found.group(1).strip() else found.group(1), text)
    if emphasis and not place.heading:
        for pattern, signs in EMPHASIS:
            text = pattern.sub(signs, text)
    return unmarked(text)


def code_text(page: Blocks, kept: list[int], element: int, markdown: bool) -> str:
    """Code as it stands, without the line numbers beside it; empty when there are only numbers."""
    text = page.texts[kept[0]]
    for i in kept[1:]:
        text += "\n" * (not text.endswith("\n")) + page.texts[i]
    text = unmarked(text).strip("\n").rstrip()
    lines = text.split("\n")
    if len(lines) > 1 and _counts_up(lines):
        return ""
    if not markdown:
        return text
    around = page.parents[element]
    attrs = [page.codes.get(element, ""), *(page.attrs[i] for i in (element, around, page.parents[around]))]
    language = next((found.group(1) for words in attrs if (found := LANGUAGE.search(words))), "")
    fence = "`" * (1 + max(map(len, FENCE.findall(text)), default=2))
    return f"{fence}{language}\n{text}\n{fence}"


def _counts_up(lines: list[str]) -> bool:
    """Whether the lines are numbers, each one more than the one before."""
    if not all(line.strip().isdecimal() and len(line) < 12 for line in lines):
        return False
    numbers = [int(line) for line in lines]
    return all(b == a + 1 for a, b in pairwise(numbers))

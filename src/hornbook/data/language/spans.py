"""Stretches of a text that have to go: replace them, or take out the lines or paragraphs they stand in."""

import re
from collections.abc import Iterable
from typing import Literal

Unit = Literal["line", "paragraph"]

PARAGRAPH_END = re.compile(r"\n[^\S\n]*\n\s*")


def replace_spans(text: str, replacements: Iterable[tuple[int, int, str]]) -> str:
    """The text with characters `begin` to `end` replaced, for each (begin, end, new) in order and without overlaps.

    >>> replace_spans("a bad word", [(2, 5, "***")])
    'a *** word'
    """
    pieces: list[str] = []
    position = 0
    for begin, end, new in replacements:
        pieces += (text[position:begin], new)
        position = end
    return "".join((*pieces, text[position:]))


def cut_around(text: str, spans: Iterable[tuple[int, int]], unit: Unit) -> tuple[str, int]:
    """The text without the lines (or paragraphs, parted by blank lines) that hold any of the spans, and how many went.

    Takes spans (begin, end) in order. A line goes with its line break, a paragraph with the blank lines behind it.

    >>> cut_around("one\\ntwo\\nthree", [(4, 5)], "line")
    ('one\\nthree', 1)
    """
    ends = [m.end() for m in PARAGRAPH_END.finditer(text)] if unit == "paragraph" else _line_ends(text)
    ends = [end for end in ends if end < len(text)]
    spans = list(spans)
    kept: list[str] = []
    num_cut = place = 0
    for begin, end in zip([0, *ends], [*ends, len(text)], strict=True):
        while place < len(spans) and spans[place][1] <= begin:
            place += 1
        if place < len(spans) and spans[place][0] < end:
            num_cut += 1
        else:
            kept.append(text[begin:end])
    return ("".join(kept).rstrip("\n") if num_cut else text), num_cut


def _line_ends(text: str) -> list[int]:
    return [m.end() for m in re.finditer("\n", text)]

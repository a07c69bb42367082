"""HTML to text: guards that look before a parser does, decoding, and the extractors."""

import re
from typing import Literal

from hornbook.data.files.encodings import decode

Profile = Literal["precise", "fast", "markdown"]

CERTAIN_F1 = 0.97
"""Where the model expects at least this of its own choice, nobody else is asked (about 1 article page in 12 is)."""

VOID = frozenset(
    b"area base br col embed hr img input link meta param source track wbr frame keygen basefont bgsound".split()
)
CLOSED_BY_OTHERS = frozenset(
    b"p li td tr th dt dd option optgroup thead tbody tfoot colgroup caption rb rt rp rtc html head body".split()
)
FLAT = VOID | CLOSED_BY_OTHERS
TAG = re.compile(rb"<(/?[a-z][a-z0-9]*)")
HIDDEN = re.compile(rb"<(?:!--|script\b|style\b)")
ENDS = {b"<!--": b"-->", b"<script": b"</script", b"<style": b"</style"}
META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:-]+)", re.IGNORECASE)


def count_tags(data: bytes) -> tuple[int, int]:
    """How many tags open, and an upper bound for how deep they nest.

    For each name the elements open at the same time are counted (a closing tag that closes nothing is ignored), the
    depth is their sum at its highest. Elements without content, and those that the next one closes (p, li, td, ...),
    nest only as far as their containers do and are left out. Comments and scripts are taken out first.
    """
    names = TAG.findall(_visible(data.lower()))
    open_by_name: dict[bytes, int] = {}
    depth = deepest = num_open = 0
    for name in names:
        if name[0] == 47:  # "/"
            name = name[1:]
            if open_by_name.get(name):
                open_by_name[name] -= 1
                depth -= 1
            continue
        num_open += 1
        if name in FLAT:
            continue
        open_by_name[name] = open_by_name.get(name, 0) + 1
        depth += 1
        deepest = max(deepest, depth)
    return num_open, deepest


def _visible(data: bytes) -> bytes:
    """The page without comments, scripts and styles (in lower case); one that never ends hides nothing.

    Plain searches instead of one pattern: `<!--.*?-->` takes quadratic time on a page of 500,000 `<!--`.
    """
    parts: list[bytes] = []
    position = 0
    while (match := HIDDEN.search(data, position)) is not None:
        parts.append(data[position : match.start()])
        end = ENDS[match.group()]
        position = data.find(end, match.end())
        if position < 0:
            position = match.end()
            break
        position += len(end)
    parts.append(data[position:])
    return b"".join(parts)


def decode_html(data: bytes, declared: str) -> tuple[str, str]:
    """The page as text, and the repair it needed: "" (none), "transcoded" or "replaced".

    The server's charset comes before the page's own; both only matter when the bytes do not speak for themselves.
    """
    found = META_CHARSET.search(data, 0, 4096)
    return decode(data, (declared, found.group(1).decode("ascii") if found else ""))


def to_text(html: str, profile: Profile, emphasis: bool = True) -> str:
    """The main text of a page: paragraphs, headings, lists, tables, code and formulas without navigation, ads, footers.

    `fast`: blocks chosen by a small learned model. `precise`: where the model is unsure, trafilatura's opinion of each
    block counts as much as its own. `markdown`: as precise, written as Markdown. A paragraph is a line; code keeps its
    lines and indentation, formulas are LaTeX. May raise whatever the parsers raise.
    """
    from hornbook.data.html import model as html_model
    from hornbook.data.html.blocks import read_blocks
    from hornbook.data.html.math import replace_math
    from hornbook.data.html.text import render

    page = read_blocks(replace_math(html), markup=profile == "markdown")
    if not page.blocks:
        return ""
    table = html_model.features(page)
    model = html_model.load_model()
    likely = html_model.probabilities(table, model)
    keep = html_model.chosen(likely, table, model.threshold)
    if profile != "fast" and html_model.expected_f1(likely, keep, table) < CERTAIN_F1:
        votes = html_model.votes_of(_second_opinion(html), [block.text for block in page.blocks])
        keep = html_model.chosen((likely + votes) / 2, table, 0.5)
    return render(page, keep, profile == "markdown", emphasis)


def _second_opinion(html: str) -> str:
    """The text that trafilatura finds in its precision mode; none where it fails."""
    import trafilatura

    try:
        return trafilatura.extract(html, favor_precision=True, include_comments=False) or ""
    except Exception:  # noqa: BLE001 - whatever it does on a hostile page, the model's own choice stands
        return ""

"""HTML to text: decoding, and the extractors."""

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from hornbook.data.files.encodings import decode

if TYPE_CHECKING:
    from hornbook.data.html.blocks import Blocks
    from hornbook.data.html.tags import Tags

Profile = Literal["precise", "fast", "markdown"]

CERTAIN_F1 = 0.97
"""Where the model expects at least this of its own choice, nobody else is asked (about 1 article page in 12 is)."""
MAX_PARSER_DEPTH = 1000
"""trafilatura is not asked about pages that nest deeper: parsers hang on them."""

META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:-]+)", re.IGNORECASE)


def decode_html(data: bytes, declared: str) -> tuple[str, str]:
    """The page as text, and the repair it needed: "" (none), "transcoded" or "replaced".

    The server's charset comes before the page's own; both only matter when the bytes do not speak for themselves.
    """
    found = META_CHARSET.search(data, 0, 4096)
    return decode(data, (declared, found.group(1).decode("ascii") if found else ""))


def to_text(html: str, profile: Profile, emphasis: bool = True, tags: "Tags | None" = None) -> str:
    """The main text of a page: paragraphs, headings, lists, tables, code and formulas without navigation, ads, footers.

    `fast`: blocks chosen by a small learned model. `precise`: where the model is unsure, trafilatura's opinion of each
    block counts as much as its own. `markdown`: as precise, written as Markdown. A paragraph is a line; code keeps its
    lines and indentation, formulas are LaTeX. `tags`: the page cut at them, where somebody has done so. May raise
    whatever the parsers raise.
    """
    from hornbook.data.html.blocks import blocks_of
    from hornbook.data.html.tags import cut_at_tags
    from hornbook.data.html.text import render

    with collector_at_rest():
        page = blocks_of(tags or cut_at_tags(html), markup=profile == "markdown")
        keep = _chosen(page, html, profile) if page.texts else []
        return render(page, keep, profile == "markdown", emphasis)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """No search for cyclic garbage: reading a page makes none, and searching costs 3 to 10 % of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _chosen(page: "Blocks", html: str, profile: Profile) -> list[int]:
    """Positions of the blocks that are main text."""
    from hornbook.data.html import model as html_model

    table = html_model.features(page)
    model = html_model.load_model()
    likely = html_model.probabilities(table, model)
    keep = html_model.chosen(likely, table, model.threshold)
    if profile == "fast" or html_model.expected_f1(likely, keep, table) >= CERTAIN_F1:
        return keep
    opinion = _second_opinion(html)
    if opinion is None:
        return keep
    return html_model.chosen((likely + html_model.votes_of(opinion, page.texts)) / 2, table, 0.5)


def _second_opinion(html: str) -> str | None:
    """The text that trafilatura finds in its precision mode; None where it fails, or where its parser might hang."""
    from hornbook.data.html.tags import NAME, depth_of

    if depth_of(NAME.findall(html)) > MAX_PARSER_DEPTH:  # drawings and templates count here: its parser nests them
        return None
    import trafilatura

    try:
        return trafilatura.extract(html, favor_precision=True, include_comments=False) or ""
    except Exception:  # noqa: BLE001 - whatever it does on a hostile page, the model's own choice stands
        return None

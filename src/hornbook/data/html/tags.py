"""A web page cut at its tags, without what is no part of it; and how many tags it has, how deep they nest."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from hornbook.data.html.entities import unescape
from hornbook.data.html.math import replace_math

VALUE = r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))"""
ATTRS = rf"[^>=]*+(?:=(?:{VALUE}|\s++{VALUE}?+)?+[^>=]*+)*+"
TAG = re.compile(rf"<(?:(/?[a-zA-Z][^\s/>]*+)({ATTRS})(?:>|\Z)|[!?/][^>]*+(?:>|\Z))")
CONTENT_APART = {
    name: "".join(f"[{letter}{letter.upper()}]" for letter in name)
    for name in ("script", "style", "svg", "template", "textarea", "title", "iframe")
}
"""Elements whose content holds no tags of the page, and their names in any case."""
HIDDEN_OPEN = re.compile(rf"<(?:(?=[sStTiI])(?:{'|'.join(CONTENT_APART.values())})(?=[\s/>])|!--)")
HIDDEN_CLOSE = {name: re.compile("</" + pattern) for name, pattern in CONTENT_APART.items()}
VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr frame keygen basefont bgsound".split()
)
CLOSED_BY_OTHERS = frozenset(
    "p li td tr th dt dd option optgroup thead tbody tfoot colgroup caption rb rt rp rtc html head body".split()
)
FLAT = VOID | CLOSED_BY_OTHERS
MATH_ENDS = frozenset(("/math", "/MATH"))
NAME = re.compile(r"<(/?[a-zA-Z][a-zA-Z0-9]*)")


@dataclass(slots=True)
class Tags:
    """A page cut at its tags: text, then in turns a tag's name (`/div`), its attributes, the text behind it."""

    tokens: list[Any]
    names: list[str | None]
    """The names among the tokens, as they are written; None for what is no element (a doctype)."""
    title: str


def cut_at_tags(page: str) -> Tags:
    """Cut a page; comments, scripts, styles and drawings are gone then, formulas are LaTeX."""
    text, title = visible(page)
    tokens = TAG.split(text)
    names = tokens[1::3]
    if not MATH_ENDS.isdisjoint(names):
        tokens = TAG.split(replace_math(text))
        names = tokens[1::3]
    return Tags(tokens, names, title)


def visible(page: str) -> tuple[str, str]:
    """The page without comments, scripts, styles and drawings, and its title; TeX in scripts stays as text."""
    parts: list[str] = []
    title = ""
    position = 0
    while (found := HIDDEN_OPEN.search(page, position)) is not None:
        begin = found.start()
        parts.append(page[position:begin])
        if page.startswith("<!--", begin):
            end = page.find("-->", begin + 2)
            position = end + 3 if end >= 0 else len(page)
            continue
        name = found.group()[1:].lower()
        opened = page.find(">", begin)
        if page[opened - 1] == "/" and opened > 0 and is_empty(page, name, page[begin:opened]):
            position = opened + 1
            continue
        close = HIDDEN_CLOSE[name].search(page, opened) if opened >= 0 else None
        if close is None:
            position = len(page)
            break
        content, end = page[opened + 1 : close.start()], page.find(">", close.end())
        position = end + 1 if end >= 0 else len(page)
        if name == "title" and not title:
            title = " ".join(unescape(content).split())
        elif name == "script" and "math/tex" in page[begin:opened]:
            parts.append(tex_of_script(page[begin:opened], content))
        elif name in ("textarea", "iframe", "template", "svg"):
            parts.append(" ")
    parts.append(page[position:])
    return "".join(parts), title


def is_empty(page: str, name: str, head: str) -> bool:
    """Whether a tag (`head`: up to its `/>`) is an element without content.

    In HTML only drawings may be written so, in XHTML every element; the slash may end an address instead.
    """
    if name == "svg":
        return True
    return head.lower().endswith((" /", '"/', "'/", f"<{name}/")) and "xhtml" in page[:1000].lower()


def tex_of_script(head: str, tex: str) -> str:
    """A formula in a script of MathJax as text of the page."""
    tex = tex.strip().removeprefix("% <![CDATA[").removesuffix("%]]>").strip()
    mark = "$$" if "mode=display" in head else "$"
    return escape(f"{mark}{tex}{mark}", quote=False)


def count_tags(names: Iterable[str | None]) -> tuple[int, int]:
    """How many tags begin elements (or end them, when those are more), and how many of these elements may nest.

    `names` as in `Tags`.
    """
    num_open = num_closed = num_nesting = 0
    for name, num in Counter(names).items():
        if name is not None and name[0] == "/":
            num_closed += num
        elif name is not None:
            num_open += num
            num_nesting += num * (name not in FLAT)
    return max(num_open, num_closed), num_nesting


def depth_of(names: Iterable[str | None]) -> int:
    """An upper bound for how deep elements nest.

    For each name the elements open at the same time are counted (an end tag that ends nothing is ignored), the depth is
    their sum at its highest. Elements without content, and those that the next one closes (p, li, td, ...), nest only
    as far as their containers do and are left out.
    """
    open_by_name: dict[str, int] = {}
    depth = deepest = 0
    for name in names:
        if name is None:
            continue
        name = name.lower()
        if name[0] == "/":
            if open_by_name.get(name[1:]):
                open_by_name[name[1:]] -= 1
                depth -= 1
        elif name not in FLAT:
            open_by_name[name] = open_by_name.get(name, 0) + 1
            depth += 1
            deepest = max(deepest, depth)
    return deepest

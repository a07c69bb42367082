"""A web page as a list of text blocks with what is known about each, in one pass over its tags.

No tree is built: one regular expression cuts the page at its tags, a loop keeps the stack of open elements. It takes
linear time on any input and does not recurse; real pages cost about 1 ms.
"""

import html as entities
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

MAX_DEPTH = 600
"""Elements nested deeper are read as inline: their text stays, their structure does not."""

ATTRS = r"""((?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+)*+)(?:>|\Z)"""
TAG = re.compile(rf"<(?:(/?)([a-zA-Z][^\s/>]*+){ATTRS}|[!?/][^>]*+(?:>|\Z))")
HIDDEN_OPEN = re.compile(
    r"<(?:!--|(?:[sS][cC][rR][iI][pP][tT]|[sS][tT][yY][lL][eE]|[sS][vV][gG]|[tT][eE][mM][pP][lL][aA][tT][eE]"
    r"|[tT][eE][xX][tT][aA][rR][eE][aA]|[iI][fF][rR][aA][mM][eE]|[tT][iI][tT][lL][eE])(?=[\s/>]))"
)
HIDDEN_CLOSE = {
    name: re.compile("</" + "".join(f"[{c}{c.upper()}]" for c in name))
    for name in ("script", "style", "svg", "template", "textarea", "iframe", "title")
}
ATTRIBUTE = re.compile(
    r"""\b(?:(?:class|id|role|itemprop|style|property|data-component|data-testid)\s*=\s*["']?([^"'>]{0,400})|(hidden)\b)""",
    re.IGNORECASE,
)

# What names of classes and ids say about an element. One bit each, in this order; what an element says holds for
# everything inside it.
WORDS = (
    r"(article[-_]*(?:body|content|text|copy|inner|main)|(?:story|entry|post|body|main|page|blog)[-_]*(?:body|content|text|copy)"
    r"|content[-_]*(?:body|main|text|article)|rich[-_]*text|markdown|prose|mw-parser-output|field-name-body|node-content)",
    r"(article|content|story|entry|post(?!er|al)|main|text|body|hentry|blog)",
    r"(nav|menu|breadcrumb|toc\b|table-of-contents|pagination|pager|paging|skip|topbar|masthead|toolbar|tabs)",
    r"(comment|disqus|respond|reply|replies|discussion|livefyre|kommentar)",
    r"(related|recommend|more[-_]|[-_]more|morefrom|mehr|popular|trending|most[-_]|similar|also|up-?next|recirc|outbrain|taboola"
    r"|latest|recent|carousel|slider|teaser|card|read-?next|next|prev|suggest|further|linklist|list-item|collection|grid|feed)",
    r"(shar(?:e|ing)|social|facebook|twitter|follow|whatsapp|pinterest|bookmark|addthis)",
    r"(foot|copyright|legal|colophon|bottom|disclaimer|imprint|impressum|licen[sc]e)",
    r"(side|widget|rail|aside|secondary|complement|right|left|col-?2)",
    r"(\bads?\b|[-_]ads?[-_]|\bad[-_]|[-_]ad\b|advert|sponsor|banner|promo|commercial|anzeige|dfp|affiliate|shop|product|price|\bbuy)",
    r"(by-?line|author|meta|date|time|posted|published|\btags?\b|[-_]tags?|categor|topic|keyword|source|info|kicker|credit|label)",
    r"(newsletter|subscri|sign-?up|sign-?in|log-?in|register|paywall|cookie|consent|gdpr|modal|pop-?up|overlay|search|cta|donat|alert|notice|tooltip)",
    r"(caption|figure|image|photo|gallery|media|video|img|player|slideshow|lightbox|embed|picture)",
    r"(display:none|none;|visibility|hidden|sr-only|visually|screen-reader|no-?print|print-only|invisible|offscreen)",
    r"(headline|title|heading|header|\bhead)",
    r"(summary|excerpt|intro|\blead\b|abstract|deck\b|sub-?title|standfirst|sub-?head|\bdek\b|description|lede)",
    r"(\bbio|[-_]bio|profile|about|vcard|avatar|contributor)",
)
WORD = re.compile("|".join(WORDS))
GUTTER = re.compile(
    r"\b(?:gutter|line-?numbers?(?:-rows)?|linenos?|lineno|hljs-ln-numbers|rouge-gutter|blob-num|ln-num|crayon-nums)(?![\w-])"
)
UNSEEN = re.compile(
    r"\b(?:katex-html|mathjax(?:_preview|_display|_svg|_chtml)?|mjx-chtml|mwe-math-mathml-inline\S*hidden|mw-editsection)(?![\w-])"
)

ELEMENTS = ("article", "main", "aside", "footer", "header", "figure", "form", "table", "list", "blockquote", "section")
SAME = {"ul": "list", "ol": "list", "dl": "list", "figcaption": "figure"}
BIT = {name: 1 << (len(WORDS) + ELEMENTS.index(SAME.get(name, name))) for name in (*ELEMENTS, *SAME)}
NUM_BITS = len(WORDS) + len(ELEMENTS)
HIDDEN_BIT = 1 << 12

INLINE = frozenset(
    "span b i em strong font u s small big sub sup abbr acronym cite q mark time del ins label wbr img source picture"
    " bdi bdo data dfn kbd samp var tt code strike nobr input link meta area map ruby rb rt rp rtc rbc track"
    " param embed object base col colgroup html body head a br noindex slot"
    " script style svg template textarea iframe title".split()
)
SKIPPED = frozenset(
    "nav select noscript button audio video canvas option datalist applet noembed noframes math".split()
)
VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr frame keygen basefont bgsound".split()
)
BLOCK, LINK, BREAK, BOLD, PICTURE, CODE, EMPHASIS = range(1, 8)
KINDS = {
    **dict.fromkeys(INLINE, 0),
    **dict.fromkeys(("b", "strong"), BOLD),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), CODE),
    **dict.fromkeys(("i", "em"), EMPHASIS),
    **dict.fromkeys(
        "div p li ul ol td tr table h1 h2 h3 h4 section article figure header footer nav form button".split(), BLOCK
    ),
    "a": LINK,
    "br": BREAK,
    "img": PICTURE,
}
"""What an element is to the loop; names that are not here are blocks."""
CLOSES: dict[str, frozenset[str]] = {
    "li": frozenset(("li",)),
    "dt": frozenset(("dt", "dd")),
    "dd": frozenset(("dt", "dd")),
    "tr": frozenset(("tr", "td", "th")),
    "td": frozenset(("td", "th")),
    "th": frozenset(("td", "th")),
    "tbody": frozenset(("tr", "td", "th", "thead", "tbody", "tfoot")),
    "thead": frozenset(("tr", "td", "th", "thead", "tbody", "tfoot")),
    "tfoot": frozenset(("tr", "td", "th", "thead", "tbody", "tfoot")),
}
BORDERS = frozenset("ul ol dl table div section article main td th".split())
"""An element that the next one closes is looked for only up to one of these."""
ROWS = frozenset("tr tbody thead tfoot".split())
RAW = frozenset("pre listing xmp".split())


class Element(NamedTuple):
    """A block element, in document order."""

    name: str
    parent: int
    bits: int
    """What its classes and those of all elements around it say."""
    own_bits: int
    attrs: str
    begin: int
    """Its first block."""


class Block(NamedTuple):
    """A text between the borders of block elements."""

    text: str
    element: int
    """The innermost element around it."""
    link_chars: int
    num_links: int
    bold_chars: int


@dataclass(slots=True)
class Blocks:
    """A page."""

    blocks: list[Block]
    elements: list[Element]
    ends: list[int]
    """Of each element: the block after its last one."""
    title: str
    codes: dict[int, str]
    """Attributes of the `code` inside a `pre`, by element."""


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
        close = HIDDEN_CLOSE[name].search(page, opened) if opened >= 0 else None
        if close is None:
            position = len(page)
            break
        position = close.start()
        if name == "title" and not title:
            title = " ".join(entities.unescape(page[opened + 1 : position]).split())
        elif name == "script" and "math/tex" in page[begin:opened]:
            parts.append(tex_of_script(page[begin:opened], page[opened + 1 : position]))
        elif name in ("textarea", "iframe", "template", "svg"):
            parts.append(" ")
    parts.append(page[position:])
    return "".join(parts), title


def tex_of_script(head: str, tex: str) -> str:
    """A formula in a script of MathJax as text of the page."""
    tex = tex.strip().removeprefix("% <![CDATA[").removesuffix("%]]>").strip()
    mark = "$$" if "mode=display" in head else "$"
    return entities.escape(f"{mark}{tex}{mark}", quote=False)


WATCHED = ("athJax", "mjx-", "katex", "editsection")
"""Pages with one of these draw formulas twice, or have links in headings that are no text."""


def read_blocks(page: str, markup: bool = False) -> Blocks:
    """Cut a page into blocks; `markup` leaves marks for inline code and emphasis in their texts."""
    text, title = visible(page)
    watching = any(word in text for word in WATCHED)
    tokens = TAG.split(text)
    skipped = SKIPPED
    while True:
        reader = Reader(markup, watching)
        unclosed = reader.read(tokens, skipped)
        if unclosed is None:
            return Blocks(reader.blocks, reader.elements, reader.ends, title, reader.codes)
        skipped = skipped - {unclosed}


class Reader:
    """The loop over a page's tags with what is open."""

    __slots__ = (
        "blocks", "bold", "bold_chars", "by_attrs", "codes", "elements", "ends", "in_link", "link_chars", "markup",
        "names", "num_links", "open_names", "parts", "pre", "stack", "watching",
    )  # fmt: skip

    def __init__(self, markup: bool, watching: bool) -> None:
        self.markup = markup
        self.watching = watching
        self.blocks: list[Block] = []
        self.elements = [Element("body", 0, 0, 0, "", 0)]
        self.ends = [0]
        self.stack = [0]
        self.names = ["body"]
        self.open_names = {"body": 1}
        self.parts: list[str] = []
        self.by_attrs: dict[str, int] = {"": 0}
        self.codes: dict[int, str] = {}
        self.in_link = False
        self.link_chars = self.num_links = self.bold_chars = self.bold = self.pre = 0

    def read(self, tokens: list[Any], skipped: frozenset[str]) -> str | None:
        """Read all tokens; the name of an element whose content is skipped and that never ends, if there is one."""
        skip = ""
        depth = 0
        parts, kinds, watching = self.parts, KINDS, self.watching
        enter, leave, add = self.enter, self.leave, self.parts.append
        if tokens[0]:
            add(tokens[0])
        for slash, name, attrs, text in zip(tokens[1::4], tokens[2::4], tokens[3::4], tokens[4::4], strict=True):
            if skip:
                if name is not None and name.lower() == skip:
                    depth += -1 if slash else 1
                    if not depth:
                        skip = ""
                        add(text if self.pre else " " + text)
                continue
            kind = kinds.get(name)
            if kind is None:
                if name is None:  # a doctype
                    name, kind = "", 0
                else:
                    name = name.lower()
                    kind = kinds.get(name, 0 if ":" in name else BLOCK)
            if kind == BLOCK:
                if slash:
                    leave(name)
                elif (name in skipped and attrs[-1:] != "/") or (
                    attrs and (watching or self.pre or "gutter" in attrs or "line" in attrs) and unseen(attrs)
                ):
                    skip, depth = name, 1
                    continue
                else:
                    enter(name, attrs)
            elif kind == LINK:
                self.in_link = in_link = not slash and "href" in attrs
                if in_link:
                    self.num_links += 1
            elif attrs and (watching or self.pre) and not slash and name not in VOID and unseen(attrs):
                skip, depth = name, 1
                continue
            elif kind:
                self.inline(kind, slash, attrs)
            if text and (parts or self.pre or not text.isspace()):  # space before a block's text says nothing
                add(text)
                if self.in_link:
                    self.link_chars += len(text.strip())
                if self.bold:
                    self.bold_chars += len(text.strip())
        if skip in skipped:
            return skip
        if parts:
            self.flush()
        while self.stack:
            self.pop()
        return None

    def inline(self, kind: int, slash: str, attrs: str) -> None:
        """An inline element that matters begins or ends."""
        if kind == BREAK:
            self.line_break()
        elif kind == BOLD:
            self.bold = 0 if slash else 1
            if self.markup:
                self.parts.append("\x03")
        elif kind == PICTURE:
            if "tex" in attrs or "math" in attrs:
                self.picture(attrs)
        elif kind == CODE and self.pre:
            if attrs and not slash:
                self.codes.setdefault(self.stack[-1], attrs)
        elif self.markup:
            self.parts.append("\x02" if kind == CODE else "\x04")

    def line_break(self) -> None:
        """`<br>`: a line end; two of them part paragraphs."""
        parts = self.parts
        if self.pre:
            parts.append("\n")
            return
        for i in range(len(parts) - 1, -1, -1):
            if parts[i] == "\x01":
                self.flush()
                return
            if not parts[i].isspace():
                break
        parts.append("\x01")

    def picture(self, attrs: str) -> None:
        """A formula drawn as a picture, with its TeX beside it."""
        found = re.search(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", attrs)
        if found is None or not re.search(r"""\bclass\s*=\s*["'][^"']*(?:tex\b|math|\btex)""", attrs):
            return
        tex = (found.group(1) or found.group(2) or "").strip()
        if tex:
            self.parts.append(tex if tex[0] == "$" or tex.startswith("\\(") else f"${tex}$")

    def enter(self, name: str, attrs: str) -> None:
        """A block element begins."""
        if self.pre:
            self.new_line()
        elif self.parts:
            self.flush()
        names, stack = self.names, self.stack
        if names[-1] == "p":
            self.pop()
        if name in CLOSES:
            self.close_implied(name, CLOSES[name])
        if len(stack) >= MAX_DEPTH or name in VOID:
            return
        parent = stack[-1]
        own = self.by_attrs.get(attrs)
        if own is None:
            own = self.by_attrs[attrs] = bits_of(attrs)
        if name in BIT:
            own |= BIT[name]
        elements, open_names = self.elements, self.open_names
        stack.append(len(elements))
        names.append(name)
        open_names[name] = open_names.get(name, 0) + 1
        elements.append(Element(name, parent, own | elements[parent][2], own, attrs, len(self.blocks)))
        self.ends.append(0)
        if name in RAW:
            self.pre += 1

    def close_implied(self, name: str, closes: frozenset[str]) -> None:
        """End what a new element ends: an earlier list item, row or cell."""
        names = self.names
        for i in range(len(names) - 1, 0, -1):
            found = names[i]
            if found in closes:
                while len(names) > i:
                    self.pop()
                if name not in ROWS:
                    return
            elif found in BORDERS:
                return

    def leave(self, name: str) -> None:
        """A block element ends; one not open ends nothing, and no cell's content ends what is around its table."""
        if self.pre:
            if name not in RAW:
                self.new_line()
        elif self.parts:
            self.flush()
        names = self.names
        if names[-1] == name:
            if len(names) > 1:
                self.pop()
            return
        if not self.open_names.get(name):
            return
        for i in range(len(names) - 1, 0, -1):
            found = names[i]
            if found == name:
                while len(names) > i:
                    self.pop()
                return
            if (found == "td" or found == "th") and name not in ROWS and name != "table":
                return

    def pop(self) -> None:
        """The innermost element ends."""
        if self.names[-1] in RAW:
            self.flush()
            self.pre -= 1
        self.ends[self.stack.pop()] = len(self.blocks)
        name = self.names.pop()
        self.open_names[name] -= 1

    def new_line(self) -> None:
        """In code, the border of an element is a line end at most."""
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")

    def flush(self) -> None:
        """What was read since the last border becomes a block."""
        parts = self.parts
        text = parts[0] if len(parts) == 1 else "".join(parts)
        parts.clear()
        if self.pre:
            text = raw_text(text)
        else:
            text = " ".join(text.split())
            if "&" in text:
                text = " ".join(entities.unescape(text).split())
            if "\x01" in text:
                text = "\n".join(line for part in text.split("\x01") if (line := part.strip()))
        if text:
            self.blocks.append(Block(text, self.stack[-1], self.link_chars, self.num_links, self.bold_chars))
            self.link_chars = self.bold_chars = 0
            self.num_links = 1 if self.in_link else 0


def raw_text(text: str) -> str:
    """The text of a `pre` as it stands; empty when there is nothing but space."""
    text = entities.unescape(text).replace("\r\n", "\n").replace("\x01", "")
    return text if text.strip() else ""


def bits_of(attrs: str) -> int:
    """What an element's classes and other attributes say."""
    bits = 0
    for values, flag in ATTRIBUTE.findall(attrs[:2000]):
        for word in (values or flag).split():
            bits |= bits_of_word(word)
    return bits


@lru_cache(maxsize=1 << 16)
def bits_of_word(word: str) -> int:
    """What one class or id says: a bit for each kind of word in it."""
    bits = 0
    for found in WORD.finditer(word[:80].lower()):
        bits |= 1 << (found.lastindex or 1) - 1
    return bits


def unseen(attrs: str) -> bool:
    """Whether an element holds what is not text: line numbers beside code, a second drawing of a formula."""
    return bool(GUTTER.search(attrs) or UNSEEN.search(attrs.lower()))

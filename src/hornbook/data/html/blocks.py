"""A web page as a list of text blocks with what is known about each, in one pass over its tags.

No tree is built: a loop over the tags keeps the stack of open elements. It takes linear time on any input and does not
recurse; real pages cost about 1 ms.
"""

import re
from array import array
from dataclasses import dataclass, field
from typing import Any

from hornbook.data.html.classes import ALL_WORDS, IS_DRAWN, IS_NUMBERS, NUM_WORDS, OF_CODE, bits_of, flags_of
from hornbook.data.html.entities import unescape
from hornbook.data.html.marks import lines_of, plain_text, raw_text, unmarked
from hornbook.data.html.tags import VOID, Tags, cut_at_tags

MAX_DEPTH = 600
"""Elements nested deeper are read as inline: their text stays, their structure does not."""
MAX_UNCLOSED = 20
"""A page on which elements of so many names are hidden and never end is read with nothing hidden."""

ELEMENTS = ("article", "main", "aside", "footer", "header", "figure", "form", "table", "list", "blockquote", "section")
SAME = {"ul": "list", "ol": "list", "dl": "list", "figcaption": "figure"}
BIT = {name: 1 << (NUM_WORDS + ELEMENTS.index(SAME.get(name, name))) for name in (*ELEMENTS, *SAME)}
NUM_BITS = NUM_WORDS + len(ELEMENTS)
INLINE = frozenset(
    "span b i em strong font u s small big sub sup abbr acronym cite q mark time del ins label wbr img source picture"
    " bdi bdo data dfn kbd samp var tt code strike nobr input link meta area map ruby rb rt rp rtc rbc track"
    " param embed object base col colgroup html body head a br noindex slot"
    " script style svg template textarea iframe title".split()
)
SKIPPED = frozenset(
    "nav select noscript button audio video canvas option datalist applet noembed noframes math".split()
)
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
CELLS = frozenset(("td", "th"))
RAW = frozenset("pre listing xmp".split())

BLOCK, ITEM, RULE, SKIP, END, LINK, LINK_END, BREAK, PICTURE = range(1, 10)
SPAN, CODE, CODE_END, BOLD, BOLD_END, EMPHASIS, EMPHASIS_END = range(10, 17)
BLOCK_NAMES = (
    "div p ul ol table h1 h2 h3 h4 h5 h6 section article figure header footer form main aside blockquote dl"
    " figcaption fieldset center address details summary pre listing xmp".split()
)
KINDS: dict[str | None, int] = {
    None: 0,  # a doctype, a processing instruction
    **dict.fromkeys(("/" + name for name in INLINE), 0),
    **dict.fromkeys(INLINE, SPAN),
    **dict.fromkeys(INLINE & VOID, 0),
    **dict.fromkeys(BLOCK_NAMES, BLOCK),
    **dict.fromkeys(CLOSES, ITEM),
    **dict.fromkeys(VOID - INLINE, RULE),
    **dict.fromkeys(SKIPPED, SKIP),
    **dict.fromkeys(("/" + name for name in (*BLOCK_NAMES, *CLOSES, *SKIPPED, *(VOID - INLINE))), END),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), CODE),
    **dict.fromkeys(("/code", "/tt", "/kbd", "/samp"), CODE_END),
    **dict.fromkeys(("i", "em"), EMPHASIS),
    **dict.fromkeys(("/i", "/em"), EMPHASIS_END),
    **dict.fromkeys(("b", "strong"), BOLD),
    **dict.fromkeys(("/b", "/strong"), BOLD_END),
    **dict.fromkeys(("br", "/br"), BREAK),
    "img": PICTURE,
    "a": LINK,
    "/a": LINK_END,
}
"""What a tag is to the loop; names that are not here begin and end blocks (see `kind_of`)."""
MARK_OF = {
    CODE: "\x02", CODE_END: "\x02", BOLD: "\x03", BOLD_END: "\x04", EMPHASIS: "\x05", EMPHASIS_END: "\x06",
}  # fmt: skip
"""What stands in a text where inline code, bold or italic text begins or ends (`\\x01`: a line break)."""
MARKS = frozenset(MARK_OF.values())


def numbers() -> "array[int]":
    """An empty column of whole numbers."""
    return array("q")


@dataclass(slots=True)
class Blocks:
    """A page, column by column: its texts in order, and the block elements around them in document order."""

    title: str
    texts: list[str] = field(default_factory=list[str])
    marked: list[str] = field(default_factory=list[str])
    """The texts with marks for inline code and emphasis, where these were asked for; else the same list."""
    element_of: "array[int]" = field(default_factory=numbers)
    """Of each text: the innermost element around it."""
    link_chars: "array[int]" = field(default_factory=numbers)
    num_links: "array[int]" = field(default_factory=numbers)
    bold_chars: "array[int]" = field(default_factory=numbers)
    names: list[str] = field(default_factory=list[str])
    """Of each element, as all that follow."""
    attrs: list[str] = field(default_factory=list[str])
    parents: "array[int]" = field(default_factory=numbers)
    bits: "array[int]" = field(default_factory=numbers)
    """What its classes and those of all elements around it say."""
    own_bits: "array[int]" = field(default_factory=numbers)
    begins: "array[int]" = field(default_factory=numbers)
    """Its first text."""
    ends: "array[int]" = field(default_factory=numbers)
    """The text after its last one."""
    codes: dict[int, str] = field(default_factory=dict[int, str])
    """Attributes of the `code` inside a `pre`, by element."""


def read_blocks(page: str, markup: bool = False) -> Blocks:
    """Cut a page into blocks; `markup` leaves marks for inline code and emphasis in `marked`."""
    return blocks_of(cut_at_tags(page), markup)


def blocks_of(tags: Tags, markup: bool = False) -> Blocks:
    """The blocks between a page's tags."""
    shown: set[str] = set()
    while True:
        reader = Reader(tags, markup, shown)
        unclosed = reader.read(tags)
        if not unclosed:
            return reader.page
        shown.add(unclosed)
        if len(shown) > MAX_UNCLOSED:
            shown |= {name.lower() for name in tags.names if name}


class Reader:
    """The loop over a page's tags with what is open.

    `shown`: names of elements that are read although they should be hidden, because one of them never ends.
    """

    __slots__ = (
        "bold", "bold_chars", "by_attrs", "ends", "in_link", "link_chars", "markup", "num_links", "open", "page",
        "parts", "pre", "shown", "stack", "texts",
    )  # fmt: skip

    def __init__(self, tags: Tags, markup: bool, shown: set[str]) -> None:
        self.markup = markup
        self.shown = shown
        self.page = page = Blocks(tags.title)
        self.ends, self.texts = page.ends, page.texts
        if not markup:
            page.marked = page.texts
        page.names.append("body")
        page.attrs.append("")
        for column in (page.parents, page.bits, page.own_bits, page.begins, page.ends):
            column.append(0)
        self.stack = [0]
        self.open = ["body"]
        self.parts: list[str] = []
        self.by_attrs: dict[str, int] = {"": 0}
        self.in_link = False
        self.link_chars = self.num_links = self.bold_chars = self.bold = self.pre = 0

    def read(self, tags: Tags) -> str:
        """Read all tokens; the name of an element whose content is hidden and that never ends, if there is one."""
        skip, borders, depth = "", ("", ""), 0
        names: list[Any] = tags.names
        tokens, parts, kinds = tags.tokens, self.parts, KINDS
        enter, leave, add = self.enter, self.leave, self.parts.append
        if tokens[0]:
            add(tokens[0])
        for name, attrs, text in zip(names, tokens[2::3], tokens[3::3], strict=True):
            if skip:
                if name is not None and (lower := name.lower()) in borders:
                    depth += 1 if lower == skip else -1
                    if not depth:
                        skip = ""
                        add(text if self.pre else " " + text)
                continue
            kind = kinds.get(name)
            if kind is None:
                name, kind = kind_of(name)
            if kind == END:
                leave(name[1:])
            elif kind == LINK:
                self.in_link = in_link = "href" in attrs or "href" in attrs.lower()
                self.num_links += in_link
            elif kind == LINK_END:
                self.in_link = False
            elif 0 < kind < END:
                skip = enter(name, attrs, kind)
            elif kind >= SPAN and attrs and (flags := flags_of(attrs)) and self.hides(name, flags):
                skip = name
            elif kind and kind != SPAN:
                self.inline(kind, attrs)
            if skip:
                borders, depth = (skip, "/" + skip), 1
                continue
            if text and (parts or self.pre or not text.isspace()):  # space before a block's text says nothing
                add(text)
                if self.in_link:
                    self.link_chars += len(text.strip())
                if self.bold:
                    self.bold_chars += len(text.strip())
        if not skip:
            self.finish()
        return skip

    def finish(self) -> None:
        """The page ends."""
        if self.parts:
            self.flush()
        while self.stack:
            self.pop()

    def inline(self, kind: int, attrs: str) -> None:
        """An inline element that matters begins or ends."""
        if kind == BREAK:
            self.line_break()
        elif kind == PICTURE:
            if "tex" in attrs or "math" in attrs:
                self.picture(attrs)
        elif kind == CODE and self.pre:
            if attrs:
                self.page.codes.setdefault(self.stack[-1], attrs)
        else:
            if kind in (BOLD, BOLD_END):
                self.bold = int(kind == BOLD)
            if self.markup and not self.pre:
                self.parts.append(MARK_OF[kind])

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
            if not (parts[i].isspace() or parts[i] in MARKS):
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

    def enter(self, name: str, attrs: str, kind: int) -> str:
        """A block element begins; its name when its content is to be hidden."""
        own = self.by_attrs.get(attrs)
        if own is None:
            own = self.by_attrs[attrs] = bits_of(attrs)
        if (own > ALL_WORDS and self.hides(name, own)) or (
            kind == SKIP and attrs[-1:] != "/" and name not in self.shown
        ):
            return name
        if self.pre:
            self.new_line()
        elif self.parts:
            self.flush()
        stack, names, page = self.stack, self.open, self.page
        if names[-1] == "p":
            self.pop()
        if kind == ITEM:
            self.close_implied(name, CLOSES[name])
        if kind == RULE or len(stack) >= MAX_DEPTH:
            return ""
        parent = stack[-1]
        own = own & ALL_WORDS | BIT.get(name, 0)
        stack.append(len(page.names))
        names.append(name)
        page.names.append(name)
        page.attrs.append(attrs)
        page.parents.append(parent)
        page.own_bits.append(own)
        page.bits.append(own | page.bits[parent])
        page.begins.append(len(page.texts))
        page.ends.append(0)
        if name in RAW:
            self.pre += 1
        return ""

    def hides(self, name: str, flags: int) -> bool:
        """Whether an element with these classes holds what is not text: line numbers, a second drawing of a formula."""
        if name in VOID or name in self.shown:
            return False
        if flags & IS_DRAWN:
            return True
        if name in RAW or name == "code":  # the classes of code with numbers, not of the numbers
            return False
        return bool(flags & IS_NUMBERS) or self.pre > 0 or (name in CELLS and self.in_code())

    def in_code(self) -> bool:
        """Whether an element around says that it holds code."""
        return any(OF_CODE.search(self.page.attrs[i][:2000]) for i in self.stack[-6:])

    def close_implied(self, name: str, closes: frozenset[str]) -> None:
        """End what a new element ends: an earlier list item, row or cell."""
        names = self.open
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
        names = self.open
        if names[-1] == name:
            if self.pre:
                self.pop()
            else:
                names.pop()
                self.ends[self.stack.pop()] = len(self.texts)
            return
        if name not in names:
            return
        for i in range(len(names) - 1, 0, -1):
            found = names[i]
            if found == name:
                while len(names) > i:
                    self.pop()
                return
            if found in CELLS and name not in ROWS and name != "table":
                return

    def pop(self) -> None:
        """The innermost element ends."""
        if self.pre and self.open[-1] in RAW:
            self.flush()
            self.pre -= 1
        self.page.ends[self.stack.pop()] = len(self.page.texts)
        self.open.pop()

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
                text = " ".join(unescape(text).split())
            if "\x01" in text:
                text = lines_of(text)
        page = self.page
        if self.markup:
            plain = unmarked(text) if self.pre else plain_text(text)
            if plain:
                page.marked.append(text)
            text = plain
        if text:
            page.texts.append(text)
            page.element_of.append(self.stack[-1])
            page.link_chars.append(self.link_chars)
            page.num_links.append(self.num_links)
            page.bold_chars.append(self.bold_chars)
            self.link_chars = self.bold_chars = 0
            self.num_links = int(self.in_link)


def kind_of(name: str) -> tuple[str, int]:
    """The name of a tag in lower case, and what it is: unknown elements are blocks but for those of XML and MathJax."""
    name = name.lower()
    kind = KINDS.get(name)
    if kind is None:
        closing = name[0] == "/"
        inline = ":" in name or name.startswith("mjx-", closing)
        kind = 0 if inline else END if closing else BLOCK
    return name, kind

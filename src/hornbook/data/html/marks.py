"""Texts of blocks with marks: for line breaks (`\\x01`), for inline code, bold and italic (`\\x02` to `\\x06`)."""

import re

from hornbook.data.html.entities import unescape

MARK = re.compile("[\x02-\x06]")


def lines_of(text: str) -> str:
    """The lines between line breaks; one with nothing but marks joins its neighbour."""
    lines = [""]
    for line in map(str.strip, text.split("\x01")):
        if MARK.sub("", line) and MARK.sub("", lines[-1]):
            lines.append(line)
        else:
            lines[-1] += line
    return "\n".join(lines)


def raw_text(text: str) -> str:
    """The text of a `pre` as it stands; empty when there is nothing but space."""
    text = unescape(text).replace("\r\n", "\n").replace("\x01", "")
    return text if text.strip() else ""


def unmarked(text: str) -> str:
    """A text without marks of inline elements."""
    return text if text.isprintable() else MARK.sub("", text)


def plain_text(text: str) -> str:
    """A marked text as it would have been read without marks."""
    if text.isprintable():
        return text
    return "\n".join(line for part in MARK.sub("", text).split("\n") if (line := " ".join(part.split())))

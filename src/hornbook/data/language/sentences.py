"""Texts taken apart into lines and, where these are long, sentences; and put together again without some of them."""

import re

SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+\s++|[。！？]++")


def spans(text: str, max_chars: int) -> list[tuple[int, int]]:
    """Where the lines of a text begin and end, blank ones left out; longer ones in pieces that end with sentences.

    A sentence that is longer than `max_chars` itself is cut at the last space before it.

    >>> ["One. Two is here."[a:b] for a, b in spans("One. Two is here.", 15)]
    ['One. ', 'Two is here.']
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for line in text.splitlines(keepends=True):
        end = begin + len(line.rstrip())
        if line.strip():
            found += [(begin, end)] if end - begin <= max_chars else _pieces(text, begin, end, max_chars)
        begin += len(line)
    return found


def _pieces(text: str, begin: int, end: int, max_chars: int) -> list[tuple[int, int]]:
    borders = [match.end() for match in SENTENCE_END.finditer(text, begin, end)]
    borders.append(end)
    found: list[tuple[int, int]] = []
    last = begin
    for border in borders:
        if border - begin > max_chars and last > begin:
            found.append((begin, last))
            begin = last
        while border - begin > max_chars:
            space = text.rfind(" ", begin + 1, begin + max_chars)
            stop = space + 1 if space > begin else begin + max_chars
            found.append((begin, stop))
            begin = stop
        last = border
    if end > begin:
        found.append((begin, end))
    return found


def cut(text: str, places: list[tuple[int, int]]) -> str:
    """The text without some of its spans; lines that are empty then go, and blank lines stay single."""
    parts: list[str] = []
    begin = 0
    for a, b in places:
        parts += [text[begin:a], "\0"]
        begin = b
    parts.append(text[begin:])
    lines = "".join(parts).split("\n")
    kept = [
        line.replace("\0", "").rstrip() if "\0" in line else line
        for line in lines
        if "\0" not in line or line.strip("\0 \t\r")
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")

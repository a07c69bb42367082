"""Cut a stream of bytes into records: lines, pieces between separators, whole files, chunks of paragraphs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hornbook.data.language.languages import CLOSERS, SENTENCE_ENDS

CHAPTER = re.compile(r"^(#{1,6}\s|\s*(chapter|book|part|letter)\s+([ivxlc]+|\d+)\b)", re.IGNORECASE)
BLANK = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
SENTENCE_END = re.compile(
    rf"[.!?][{re.escape(CLOSERS)}]*\s+|[{re.escape(SENTENCE_ENDS.strip('.!?'))}][{re.escape(CLOSERS)}]*\s*"
)
"""Where scripts write no spaces, none is needed behind an end."""


@dataclass(frozen=True, slots=True)
class Record:
    """A piece of a file: where it starts (bytes of the inflated file), its bytes, and whether it is all there.

    `flaw`: "" or why it cannot be used ("too_large": `data` holds its beginning; "truncated": its end is missing).
    """

    position: int
    data: bytes
    flaw: str = ""


def split(
    blocks: Iterator[bytes], separator: bytes, begin: int, end: int | None, start: int, max_bytes: int
) -> Iterator[Record]:
    """Records between separators that start in [begin, end).

    `start`: the position in the file of the first byte of `blocks`: 0, or at most `begin` minus the separator's
    length, so that a separator that ends at `begin` is seen. A record longer than `max_bytes` is passed over without
    being held; its first bytes come with the flaw "too_large".
    """
    position = start
    rest = b""
    skipping = begin > 0  # until the first separator
    huge: Record | None = None
    for block in blocks:
        *full, rest = (rest + block).split(separator)
        for part in full:
            if not skipping:
                yield huge or _record(position, part, max_bytes)
            huge = None
            position += len(part) + len(separator)
            skipping = position < begin
            if end is not None and position >= end:
                return
        if skipping or huge is not None or len(rest) > max_bytes:
            huge = None if skipping else huge or _record(position, rest, max_bytes)
            trimmed = max(0, len(rest) - len(separator) + 1)
            position += trimmed
            rest = rest[trimmed:]
            if end is not None and position >= end:  # what comes now is for another reader
                break
    if not skipping and (huge is not None or rest):
        yield huge or _record(position, rest, max_bytes)


def can_be_cut_anywhere(separator: bytes) -> bool:
    """Whether a file can be read from the middle: no end of the separator is also its beginning.

    With such a border ("\\n\\n" in a run of three line ends) a reader that starts later may see other separators.
    """
    return not any(separator.startswith(separator[i:]) for i in range(1, len(separator)))


def _record(position: int, data: bytes, max_bytes: int) -> Record:
    return Record(position, data[:2000], "too_large") if len(data) > max_bytes else Record(position, data)


def whole(blocks: Iterator[bytes], max_bytes: int) -> Iterator[Record]:
    """The file as one record."""
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        parts.append(block)
        size += len(block)
        if size > max_bytes:
            yield Record(0, b"".join(parts)[:2000], "too_large")
            return
    yield Record(0, b"".join(parts))


def paragraphs(text: str, max_chars: int) -> Iterator[str]:
    """Chunks of at most `max_chars` characters, cut at chapters first, then at blank lines.

    A chapter heading (a Markdown heading, or a line such as "Chapter IV") starts a new chunk; a single paragraph
    longer than the limit is cut at the end of a sentence, or, without one, at a space.

    >>> list(paragraphs("one\\n\\ntwo\\n\\n# A\\n\\nthree", 20))
    ['one\\n\\ntwo', '# A\\n\\nthree']
    """
    chunk: list[str] = []
    size = 0
    for paragraph in BLANK.split(text):
        paragraph = paragraph.strip("\n").rstrip()
        if not paragraph.strip():
            continue
        heading = CHAPTER.match(paragraph) is not None
        only_headings = all(CHAPTER.match(part) for part in chunk)
        if chunk and ((heading and not only_headings) or size + 2 + len(paragraph) > max_chars):
            yield "\n\n".join(chunk)
            chunk, size = [], 0
        *full, rest = _cut(paragraph, max_chars)
        yield from full
        chunk.append(rest)
        size += len(rest) + (2 if size else 0)
    if chunk:
        yield "\n\n".join(chunk)


def _cut(paragraph: str, max_chars: int) -> Iterator[str]:
    begin = 0
    while len(paragraph) - begin > max_chars:
        end = begin + max_chars
        ends = [found.end() for found in SENTENCE_END.finditer(paragraph, begin, end)]
        cut = ends[-1] if ends else paragraph.rfind(" ", begin, end) + 1 or end
        if piece := paragraph[begin:cut].rstrip():
            yield piece
        begin = cut
    yield paragraph[begin:]

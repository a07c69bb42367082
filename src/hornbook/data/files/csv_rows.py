"""Rows of CSV files, with what is broken reported: quoted fields may hold line ends, a bad row costs only itself.

But for a quote that is opened and not closed: it costs the lines up to the next quote, or to the longest row allowed.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from hornbook.data.files.encodings import decode
from hornbook.data.files.records import Record, split

DELIMITERS = ",;\t|"
FORMATS = {"csv": "", "tsv": "\t"}
"""Delimiters by format; empty = the one of DELIMITERS that the first line has most of."""
SHOWN_CHARS = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """A row below the header: its number from 0 (bad rows count, blank lines do not) and its fields by column.

    `flaw`: "" or why it cannot be used ("not_csv", "too_large"), `found` says more, `text` is its beginning;
    `repair`: what its encoding needed, as `decode` names it.
    """

    number: int
    fields: dict[str, str] = field(default_factory=dict[str, str])
    flaw: str = ""
    found: str = ""
    text: str = ""
    repair: str = ""


class _TooLarge(Exception):
    """A row that is longer than a record may be."""


class _Lines:
    """Decoded lines for the parser, and what of the present row it has taken."""

    def __init__(self, records: Iterator[Record], max_bytes: int, encoding: str) -> None:
        self.records = records
        self.max_bytes = max_bytes
        self.encoding = encoding
        self.next_row()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        record = next(self.records)
        line, repair = decode(record.data, known=self.encoding)
        line += "\n"
        self.repair = "replaced" if "replaced" in (repair, self.repair) else repair or self.repair
        self.text = (self.text + line)[:SHOWN_CHARS]
        self.size_bytes += len(record.data) + 1
        self.num_lines += 1
        if record.flaw or self.size_bytes > self.max_bytes:
            raise _TooLarge
        return line

    def next_row(self) -> None:
        self.text, self.size_bytes, self.repair, self.num_lines = "", 0, "", 0


class CsvReader:
    """The header and the rows of one file (RFC 4180, strict about quotes). Blank lines are passed over.

    `names`: of the columns, for a file without a header; `header` False without names: columns are called "1", "2", ...
    `quotes` False: quotation marks are characters like others. `encoding`: what lines that are not UTF-8 are in, when
    it is known. A quote that is never closed takes rows with it until `max_bytes` are reached; those are one row that
    is "too_large". A first row that cannot be read, where it names or numbers the columns, is the only row, with its
    flaw: `columns` is empty then.
    """

    def __init__(
        self,
        blocks: Iterator[bytes],
        max_bytes: int,
        kind: str = "csv",
        header: bool = True,
        names: tuple[str, ...] = (),
        quotes: bool = True,
        encoding: str = "",
    ) -> None:
        csv.field_size_limit(max(max_bytes, 1 << 17))
        records = split(blocks, b"\n", 0, None, 0, max_bytes)
        first, head = Record(0, b""), ""
        while not head.strip() and (record := next(records, None)) is not None:
            first, head = record, decode(record.data, known=encoding)[0]
        delimiter = FORMATS[kind] or max(DELIMITERS, key=head.count)
        self._lines = _Lines(chain([first], records), max_bytes, encoding)
        quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
        self._parser = csv.reader(self._lines, delimiter=delimiter, quoting=quoting, strict=True)
        self._first: list[str] | str | None = self._fields() if head.strip() else []
        fields = self._first if isinstance(self._first, list) else []
        if header:
            self.columns = [name.strip() for name in fields]
            self._first = None if isinstance(self._first, list) else self._first
        else:
            self.columns = list(names) or [str(number + 1) for number in range(len(fields))]
        self.lead = "the header has" if header else "there are names for" if names else "the first row has"

    def __iter__(self) -> Iterator[Row]:
        number = 0
        while True:
            try:
                fields = self._next_fields()
            except StopIteration:
                return
            row = self._row(number, fields)
            if row is not None:
                yield row
                number += 1
            if isinstance(fields, str) and not self.columns:
                return

    def _next_fields(self) -> list[str] | str:
        if self._first is not None:  # no header, or none that can be read: it was read for its width
            fields, self._first = self._first, None
            return fields
        self._lines.next_row()
        return self._fields()

    def _fields(self) -> list[str] | str:
        """The next row's fields, or why there are none."""
        try:
            return next(self._parser)
        except csv.Error as error:
            return str(error)
        except _TooLarge:
            return ""

    def _row(self, number: int, fields: list[str] | str) -> Row | None:
        text, num_lines = self._lines.text, self._lines.num_lines
        if fields == []:
            return None
        if isinstance(fields, list) and len(fields) == len(self.columns):
            return Row(number, dict(zip(self.columns, fields, strict=True)), text=text, repair=self._lines.repair)
        found = fields if isinstance(fields, str) else f"{len(fields)} fields, {self.lead} {len(self.columns)}"
        flaw = "not_csv" if found else "too_large"
        if not self.columns:
            found = f"the first row cannot be read, so no other can: {found or 'it is too long'}"
        elif num_lines > 1:
            found = f"{found or 'too long'} ({num_lines} lines: is a quote not closed?)"
        return Row(number, flaw=flaw, found=found, text=text)

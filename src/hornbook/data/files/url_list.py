"""Lists of addresses: lines of text, fields of JSON lines, columns of CSV and Parquet, addresses of documents."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hornbook.core.document import read_documents
from hornbook.core.errors import DataError
from hornbook.data.files.csv_rows import FORMATS as CSV
from hornbook.data.files.csv_rows import CsvReader
from hornbook.data.files.encodings import decode
from hornbook.data.files.parquet_rows import columns_of, read_rows
from hornbook.data.files.records import Record, split
from hornbook.data.files.sources import InputFile, find_files
from hornbook.data.files.streams import Damage, as_utf8, chunks

MAX_LINE_BYTES = 1 << 20

Listed = tuple[str, str]
"""An address and "", or the beginning of what stands in its place and why that is none."""


def read_list(root: Path, pattern: str, field: str) -> Iterator[Listed]:
    """Every address of a file, or of the files of a folder, in order. Records without one come with the reason.

    Text: one address a line; what follows it after white space, and lines that begin with #, are passed over. Raises
    DataError when a table has no such column, or when the list is one file of which nothing can be read.
    """
    files = find_files(root, ("text", "jsonl", "parquet", *CSV), pattern)
    for file in files:
        damage = Damage()
        last: Listed | None = None
        for entry in _of_file(file, field, damage):
            if last is not None:
                yield last
            last = entry
        if damage.found and last is None and len(files) == 1:
            raise DataError(f"the list cannot be read: {damage.found}", where=str(file.path), do="Fetch it again")
        if damage.found:  # the last entry may be cut off
            yield last[0] if last else file.relative, f"the list is damaged: {file.relative}: {damage.found}"
        elif last is not None:
            yield last


def from_documents(folders: Iterable[Path]) -> Iterator[Listed]:
    """The address of every document."""
    for folder in folders:
        for document in read_documents(folder):
            yield (document.url, "") if document.url else (document.id, "the document has no address")


def _of_file(file: InputFile, field: str, damage: Damage) -> Iterator[Listed]:
    if file.format == "parquet":
        return _parquet(file.path, field, damage)
    blocks = as_utf8(chunks(file.path, file.compression, damage), damage)
    if file.format in CSV:
        return _csv(blocks, file, field)
    records = split(blocks, b"\n", 0, None, 0, MAX_LINE_BYTES)
    return filter(None, (_of_line(record, file.format, field) for record in records))


def _of_line(record: Record, kind: str, field: str) -> Listed | None:
    """The address in a line; None for lines that hold nothing."""
    line = decode(record.data)[0].strip()
    if not line or (kind == "text" and line.startswith("#")):
        return None
    if record.flaw:
        return line[:200], f"the line is longer than {MAX_LINE_BYTES} bytes"
    return _json(line, field) if kind == "jsonl" else (_first_word(line), "")


def _first_word(line: str) -> str:
    """An address without what is noted behind it; a line that begins with something else as it is."""
    return line.split()[0] if line.lower().startswith("http") else line


def _json(line: str, field: str) -> Listed:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return line[:200], "the line is not JSON"
    return _from_record(record, field, line)


def _csv(blocks: Iterator[bytes], file: InputFile, field: str) -> Iterator[Listed]:
    reader = CsvReader(blocks, MAX_LINE_BYTES, file.format)
    if reader.columns:
        _check(field, reader.columns, file.path)
    for row in reader:
        yield (row.text[:200], row.found or row.flaw) if row.flaw else _from_record(row.fields, field, row.text)


def _parquet(path: Path, field: str, damage: Damage) -> Iterator[Listed]:
    try:
        columns = columns_of(path)
    except DataError as error:
        damage.found = error.found
        return
    _check(field, columns, path)
    for _, row in read_rows(path, [field]):
        yield (path.name, row) if isinstance(row, str) else _from_record(row, field, "")


def _check(field: str, columns: list[str], path: Path) -> None:
    if field not in columns:
        there = ", ".join(name[:60] for name in columns[:50]) or "none"
        do = 'Set field = "..." to the one that holds the address; a list without a header is a text file (.txt)'
        raise DataError(f'no column "{field}"; the columns are {there}', where=str(path), do=do)


def _from_record(record: Any, field: str, text: str) -> Listed:
    value = record.get(field) if isinstance(record, dict) else None
    return (value.strip(), "") if isinstance(value, str) and value.strip() else (text[:200], f'no field "{field}"')

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
from hornbook.data.files.records import split
from hornbook.data.files.sources import InputFile, find_files
from hornbook.data.files.streams import Damage, as_utf8, chunks

MAX_LINE_BYTES = 1 << 20

Listed = tuple[str, str]
"""An address and "", or the beginning of what stands in its place and why that is none."""


def read_list(root: Path, pattern: str, field: str) -> Iterator[Listed]:
    """Every address of a file, or of the files of a folder, in order. Records without one come with the reason.

    Text: one address a line; what follows it after white space, and lines that begin with #, are passed over. Raises
    DataError when a table has no such column.
    """
    for file in find_files(root, ("text", "jsonl", "parquet", *CSV), pattern):
        damage = Damage()
        yield from _of_file(file, field, damage)
        if damage.found:
            yield file.relative, f"the list is damaged: {damage.found}"


def from_documents(folders: Iterable[Path]) -> Iterator[Listed]:
    """The address of every document."""
    for folder in folders:
        for document in read_documents(folder):
            yield (document.url, "") if document.url else (document.id, "the document has no address")


def _of_file(file: InputFile, field: str, damage: Damage) -> Iterator[Listed]:
    if file.format == "parquet":
        return _parquet(file.path, field)
    blocks = as_utf8(chunks(file.path, file.compression, damage), damage)
    if file.format in CSV:
        return _csv(blocks, file, field)
    lines = (decode(record.data)[0].strip() for record in split(blocks, b"\n", 0, None, 0, MAX_LINE_BYTES))
    if file.format == "jsonl":
        return (_json(line, field) for line in lines if line)
    return ((_first_word(line), "") for line in lines if line and not line.startswith("#"))


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
    _check(field, reader.columns, file.path)
    for row in reader:
        yield (row.text[:200], row.found or row.flaw) if row.flaw else _from_record(row.fields, field, row.text)


def _parquet(path: Path, field: str) -> Iterator[Listed]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check(field, file.schema_arrow.names, path)
            for batch in file.iter_batches(columns=[field]):
                yield from (_from_record(record, field, "") for record in batch.to_pylist())
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DataError(f"not a Parquet file: {error}", where=str(path), do="Fetch it again") from None


def _check(field: str, columns: list[str], path: Path) -> None:
    if field not in columns:
        there = ", ".join(name[:60] for name in columns[:50]) or "none"
        do = 'Set field = "..." to the one that holds the address; a list without a header is a text file (.txt)'
        raise DataError(f'no column "{field}"; the columns are {there}', where=str(path), do=do)


def _from_record(record: Any, field: str, text: str) -> Listed:
    value = record.get(field) if isinstance(record, dict) else None
    return (value.strip(), "") if isinstance(value, str) and value.strip() else (text[:200], f'no field "{field}"')

"""Where the labels of texts come from: files of labelled examples, lists of addresses, the generated world's truth."""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from hornbook.core.document import Document
from hornbook.core.errors import DataError
from hornbook.data.files.csv_rows import FORMATS as CSV_FORMATS
from hornbook.data.files.csv_rows import CsvReader
from hornbook.data.files.encodings import decode
from hornbook.data.files.records import split
from hornbook.data.files.sources import InputFile, find_files
from hornbook.data.files.streams import Damage, chunks

MAX_RECORD_BYTES = 16_000_000
Stamp = tuple[int, int]


class Labeller(Protocol):
    """Gives documents a class; plain data, so that it can go to a worker process."""

    @property
    def needs_text(self) -> bool:
        """Whether it reads texts, or only ids and addresses."""
        ...

    def label(self, document: Document) -> int:
        """The number of the document's class, -1 where it has none."""
        ...


@dataclass(frozen=True)
class Always:
    """Every document is of one class."""

    number: int
    needs_text: bool = False

    def label(self, document: Document) -> int:
        """The one class."""
        return self.number


@dataclass(frozen=True)
class Listed:
    """Documents whose address or host is in a file are of class 1, all others of class 0."""

    file: str
    needs_text: bool = False
    stamp: Stamp = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stamp", stamp_of(Path(self.file)))

    def label(self, document: Document) -> int:
        """1 where the list names the address, the host or a domain above it."""
        addresses, hosts = listed(self.file, self.stamp)
        address = bare_address(document.url)
        host = address.partition("/")[0]
        parts = host.split(".")
        domains = {".".join(parts[i:]) for i in range(len(parts))}
        return int(bool(address) and (address in addresses or not hosts.isdisjoint(domains)))


@dataclass(frozen=True)
class Truth:
    """The class of a page of the generated world by a column of its truth; `classes`: value -> number."""

    folder: str
    column: str
    classes: tuple[tuple[Any, int], ...]
    needs_text: bool = False
    stamp: Stamp = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stamp", stamp_of(Path(self.folder) / "truth"))

    def label(self, document: Document) -> int:
        """The number of the class that the truth states, -1 for pages that it does not know."""
        return dict(self.classes).get(truth_column(self.folder, self.column, self.stamp).get(document.id), -1)


def stamp_of(path: Path) -> Stamp:
    """When a file or folder was changed and its size, so that what is kept in memory of an older one is not used."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


@functools.lru_cache(maxsize=8)
def listed(file: str, stamp: Stamp) -> tuple[frozenset[str], frozenset[str]]:
    """The addresses and the hosts (lines without a path) of a list, one a line; `#` begins a comment."""
    text, _ = decode(Path(file).read_bytes())
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    found = {bare_address(line) for line in lines if line}
    addresses = frozenset(address for address in found if "/" in address)
    return addresses, frozenset(found - addresses)


def bare_address(url: str) -> str:
    """An address without scheme, `www.`, fragment and last slash, its host in lower case.

    >>> bare_address("https://WWW.Example.org/A/?q=1#top"), bare_address("example.org/")
    ('example.org/A/?q=1', 'example.org')
    """
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
    except ValueError:
        return ""
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return (parts.netloc.lower().rpartition("@")[2].removeprefix("www.") + path).rstrip("/")


@functools.lru_cache(maxsize=8)
def truth_column(folder: str, column: str, stamp: Stamp) -> dict[str, Any]:
    """One column of the truth of a world's pages, by the id that extraction gives."""
    import pyarrow.parquet

    files = sorted((Path(folder) / "truth").glob("*.parquet"))
    if not files:
        raise DataError("these pages come without truth", where=folder, do="Only pages of world.pages have it")
    found: dict[str, Any] = {}
    for file in files:
        table = pyarrow.parquet.read_table(file, columns=["id", column])
        found.update(zip(table.column("id").to_pylist(), table.column(column).to_pylist(), strict=True))
    return found


@dataclass(frozen=True, slots=True)
class Example:
    """A text from a file, its label as written there ("" without one) and a name that no other has."""

    text: str
    label: str
    id: str


def read_examples(root: Path, text_field: str, label_field: str = "") -> Iterator[Example]:
    """Examples from JSON lines, CSV, TSV or Parquet, or from text files, one each; in the order of their names.

    Without `label_field` a record's label is the folder below `root` that its file is in. Raises DataError for a
    record without the field, naming the fields that are there, and for lines that cannot be read.
    """
    for file in find_files(root, ("text", "jsonl", "parquet", *CSV_FORMATS)):
        folder = file.relative.partition("/")[0] if "/" in file.relative else ""
        for number, record in enumerate(_records(file, text_field)):
            where = f"{file.path}, record {number}"
            text = _field(record, text_field, where)
            label = _field(record, label_field, where) if label_field and file.format != "text" else folder
            yield Example(text, label, f"{file.relative}@{number}")


def _field(record: dict[str, Any], name: str, where: str) -> str:
    value = record.get(name)
    if value is None or isinstance(value, (list, dict)):
        there = ", ".join(sorted(record)[:20])
        raise DataError(f'no field "{name}"; there are {there}', where=where, do="Set the name of the field")
    return str(value)


def _records(file: InputFile, text_field: str) -> Iterator[dict[str, Any]]:
    if file.format == "parquet":
        yield from _rows(file.path)
        return
    damage = Damage()
    blocks = chunks(file.path, file.compression, damage)
    if file.format in CSV_FORMATS:
        for row in CsvReader(blocks, MAX_RECORD_BYTES, file.format):
            if row.flaw:
                raise DataError(f"row {row.number} is broken: {row.found or row.flaw}", where=str(file.path))
            yield dict(row.fields)
    elif file.format == "text":
        yield {text_field: decode(b"".join(blocks))[0]}
    else:
        for record in split(blocks, b"\n", 0, None, 0, MAX_RECORD_BYTES):
            if record.flaw:
                found = f"a line is longer than {MAX_RECORD_BYTES:,} bytes"
                raise DataError(found, where=f"{file.path}, byte {record.position}")
            if record.data.strip():
                yield _json_object(record.data, file.path)
    if damage.found:
        raise DataError(f"the file is damaged: {damage.found}", where=str(file.path), do="Fetch it again")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as opened:
            for batch in opened.iter_batches(batch_size=1024):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"not a Parquet file: {error}", where=str(path), do="Fetch it again") from None


def _json_object(line: bytes, path: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"a line is not JSON: {error}", where=str(path)) from None
    if not isinstance(found, dict):
        raise DataError(f"a line is a JSON {type(found).__name__}, not an object", where=str(path))
    return found

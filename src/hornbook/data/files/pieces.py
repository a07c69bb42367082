"""One piece of an input file, read record by record into documents: text, JSON lines, CSV or Parquet."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pydantic

from hornbook.core.document import Document, document_id
from hornbook.core.errors import DataError
from hornbook.core.settings import InputPath, StrictSettings
from hornbook.data.files import csv_rows
from hornbook.data.files.csv_rows import CsvReader, Row
from hornbook.data.files.encodings import decode, encoding_of_lines, well_formed
from hornbook.data.files.parquet_rows import columns_of, read_rows
from hornbook.data.files.records import Record, paragraphs, split, whole
from hornbook.data.files.sources import Piece
from hornbook.data.files.streams import Damage, as_utf8, chunks
from hornbook.data.ledger import Ledger, num_bytes
from hornbook.shards.workspace import Workspace

SAMPLE_BYTES = 1 << 20
"""By how much of its beginning the encoding of a file of lines is told."""


class Source(StrictSettings):
    """One input of data.read."""

    path: InputPath
    """A file, a folder, or `hub:owner/name`."""
    name: str = ""
    """What the `source` column says; empty = the name of the file or folder."""
    files: str = ""
    """Only files below the folder that match this glob, such as `data/train-*.parquet`."""
    field: str | tuple[str, ...] = "text"
    """JSON lines, CSV, Parquet: the field or column that holds the text (a list of texts is joined by blank lines), or
    several, whose texts are joined by blank lines; records need not have all of them."""
    header: bool = True
    """CSV: whether the first row names the columns; without names they are called "1", "2", ..."""
    columns: tuple[str, ...] = ()
    """CSV without a header: the names of its columns, in order."""
    quotes: bool = True
    """CSV, TSV: whether quotation marks enclose fields; `false` where they are characters like others."""
    url_field: str = "url"
    """JSON lines, CSV, Parquet: the field with the address, where there is one."""
    licence_field: str = ""
    """JSON lines, CSV, Parquet: the field with the record's licence; the licences found go to the manifest."""
    meta_fields: tuple[str, ...] = ()
    """JSON lines, CSV, Parquet: further fields to carry along in `meta`."""
    mode: Literal["file", "separator", "paragraphs"] = "file"
    """Text files: one document for each file, for each piece between separators, or for each chunk of paragraphs."""
    separator: str = "<|endoftext|>"
    """Text files in mode `separator`: what stands between documents."""
    max_chars: int = pydantic.Field(default=6000, ge=200)
    """Text files in mode `paragraphs`: the longest chunk; chapters begin new chunks."""
    licence: str = ""
    """The licence of the whole source; it travels to the model card."""

    @pydantic.field_validator("separator")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("the separator is empty")
        return value

    @pydantic.model_validator(mode="after")
    def _named(self) -> "Source":
        check_names(self.field, self.header, self.columns)
        return self

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The fields that hold the text, one or more."""
        return (self.field,) if isinstance(self.field, str) else self.field


def check_names(field: str | tuple[str, ...], header: bool, columns: tuple[str, ...]) -> None:
    """Refuse settings that contradict each other."""
    if not field:
        raise ValueError("no field is named")
    if header and columns:
        raise ValueError("columns are named, so the file has no header: set header = false")
    if len(set(columns)) < len(columns):
        raise ValueError("two columns have one name")
    wanted = [field] if isinstance(field, str) else field
    missing = [name for name in wanted if columns and name not in columns]
    if missing:
        raise ValueError(f'no column is called "{missing[0]}"; columns = {", ".join(columns)}')


@dataclass(frozen=True, slots=True)
class _Desk:
    """What every record of a piece is read with. `encoding`: of its file, when that is known and not UTF-8."""

    work: Workspace
    ledger: Ledger
    piece: Piece
    source: Source
    name: str
    max_record_bytes: int
    encoding: str = ""
    damage: Damage = dataclasses.field(default_factory=Damage)

    def document(self, position: int, text: str, url: str = "", meta: dict[str, Any] | None = None) -> Document:
        """The document at a position of this piece."""
        identity = document_id(f"{self.name}/{self.piece.relative}", position)
        return Document(identity, text, url, self.name, {"file": self.piece.relative, **(meta or {})})

    def drop(self, position: int, text: str, rule: str, value: str | int) -> None:
        """Book a record that cannot be used, with its beginning."""
        self.ledger.drop(self.document(position, text[:2000]), rule, value, num_bytes(text))

    def edit(self, repair: str, *texts: str) -> None:
        """Count what the bytes of a record needed, or those of its whole file (UTF-16)."""
        if not repair and self.damage.transcoded:
            repair = "replaced" if any("\ufffd" in text for text in texts) else "transcoded"
        if repair:
            self.ledger.edit({f"read.{repair}": 1})


def read_piece(work: Workspace, ledger: Ledger, piece: Piece, source: Source, name: str, max_record_bytes: int) -> None:
    """Book every record of a piece, kept or dropped under a rule of `data.read`. `name`: the source's, for ids.

    Raises DataError when a table has no column for the text.
    """
    desk = _Desk(work, ledger, piece, source, name, max_record_bytes, _encoding(piece, source))
    if piece.format == "parquet":
        _read_parquet(desk)
    elif piece.format in csv_rows.FORMATS:
        _read_csv(desk)
    else:
        _read_text(desk)


def _encoding(piece: Piece, source: Source) -> str:
    """What the records of a file are in that are not UTF-8: by its beginning, whichever part of it is read."""
    if piece.format == "parquet" or (piece.format == "text" and source.mode != "separator"):
        return ""
    head = b""
    damage = Damage()
    for block in as_utf8(chunks(Path(piece.path), piece.compression, damage), damage):
        head += block
        if len(head) >= SAMPLE_BYTES:
            break
    return encoding_of_lines(head[:SAMPLE_BYTES])


def _read_text(desk: _Desk) -> None:
    damage = desk.damage
    last: Record | None = None
    for record in _records(desk):
        if last is not None:
            _one_record(desk, last)
        last = record
    if not damage.found:
        if last is not None:
            _one_record(desk, last)
    elif last is None or last.flaw:
        desk.drop(last.position if last else 0, "", "read.truncated", damage.found)
    else:  # only the last record can be cut off by damage
        desk.drop(last.position, decode(last.data[:8000], known=desk.encoding)[0], "read.truncated", damage.found)


def _records(desk: _Desk) -> Iterator[Record]:
    piece, source = desk.piece, desk.source
    separator = b"\n" if piece.format == "jsonl" else source.separator.encode()
    start = max(0, piece.begin - len(separator))
    blocks = _blocks(desk, start)
    if piece.format == "jsonl" or source.mode == "separator":
        return split(blocks, separator, piece.begin, piece.end, start, desk.max_record_bytes)
    return whole(blocks, desk.max_record_bytes)


def _blocks(desk: _Desk, start: int = 0) -> Iterator[bytes]:
    """The bytes of a piece's file, as UTF-8 when its first bytes announce UTF-16."""
    blocks = chunks(Path(desk.piece.path), desk.piece.compression, desk.damage, start)
    return blocks if desk.piece.begin else as_utf8(blocks, desk.damage)


def _one_record(desk: _Desk, record: Record) -> None:
    """Decode one record and book what is in it."""
    desk.work.record = f"{desk.piece.relative}@{record.position}"
    desk.work.advance()
    if not record.data.strip():
        if desk.source.mode == "file" and desk.piece.format == "text":
            desk.drop(record.position, "", "read.empty", 0)
        return
    text, repair = decode(record.data, known=desk.encoding)
    if record.flaw:
        desk.drop(record.position, text, f"read.{record.flaw}", desk.max_record_bytes)
        return
    desk.edit(repair, text)
    if desk.piece.format == "jsonl":
        _json_line(desk, record.position, text)
        return
    text = text.replace("\r\n", "\n")
    if desk.source.mode == "paragraphs":
        for number, part in enumerate(paragraphs(text, desk.source.max_chars)):
            _book(desk.ledger, desk.document(number, part))
    else:
        _book(desk.ledger, desk.document(record.position, text.strip()))


def _book(ledger: Ledger, document: Document) -> None:
    if document.text:
        ledger.keep(document, num_bytes(document.text))
    else:
        ledger.drop(document, "read.empty", 0, 0)


def _json_line(desk: _Desk, position: int, line: str) -> None:
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        desk.drop(position, line, "read.not_json", str(error)[:200] or type(error).__name__)
        return
    if isinstance(record, dict):
        _row(desk, position, record)
    else:
        desk.drop(position, line, "read.not_json", f"a JSON {type(record).__name__}")


def _row(desk: _Desk, position: int, record: dict[str, Any]) -> None:
    """Book one record with fields (a JSON object, a row of CSV or Parquet)."""
    source = desk.source
    texts = [text for name in source.text_fields if (text := _text_of(record.get(name))) is not None]
    if not texts:
        found = well_formed(", ".join(sorted(map(str, record))[:20]))
        desk.drop(position, found, "read.no_field", ", ".join(source.text_fields))
        return
    text = well_formed("\n\n".join(text for text in texts if text.strip())).replace("\r\n", "\n").strip()
    if num_bytes(text) > desk.max_record_bytes:  # a row of Parquet: of the others no more was read
        desk.drop(position, text, "read.too_large", desk.max_record_bytes)
        return
    url = record.get(source.url_field) if source.url_field else None
    licence = record.get(source.licence_field) if source.licence_field else None
    meta = {name: record[name] for name in source.meta_fields if name in record}
    if isinstance(licence, str):
        meta["licence"] = well_formed(licence)
        desk.ledger.licences.add(meta["licence"])
    url = well_formed(url) if isinstance(url, str) else ""
    _book(desk.ledger, desk.document(position, text, url, _as_json(meta)))


def _as_json(meta: dict[str, Any]) -> dict[str, Any]:
    """Values as JSON can hold them: dates, numbers of fixed point and the like as text, no halves of characters."""
    return json.loads(well_formed(json.dumps(meta, default=_as_text, ensure_ascii=False))) if meta else meta


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _text_of(value: object) -> str | None:
    """The text in a field: a text, or a list of texts as paragraphs."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(value)
    return value if isinstance(value, str) else None


def _read_parquet(desk: _Desk) -> None:
    piece, source = desk.piece, desk.source
    try:
        there = columns_of(Path(piece.path))
    except DataError as error:
        desk.drop(0, "", "read.truncated", f"the whole file is lost: {error.found}")
        return
    _check_column(desk, there)
    columns = {*source.text_fields, source.url_field, source.licence_field, *source.meta_fields} & set(there)
    for position, record in read_rows(Path(piece.path), sorted(columns), piece.begin, piece.end):
        desk.work.record = f"{piece.relative}@{position}"
        desk.work.advance()
        if isinstance(record, str):
            desk.drop(position, "", "read.truncated", record)
        else:
            _row(desk, position, record)


def _check_column(desk: _Desk, there: list[str]) -> None:
    missing = next((name for name in desk.source.text_fields if name not in there), None)
    if missing is None:
        return
    no_header = ", header = false when the first row is data already" if desk.piece.format in csv_rows.FORMATS else ""
    raise DataError(
        f'no column "{missing}"; the columns are {", ".join(name[:40] for name in there[:50])}',
        where=desk.piece.path,
        do=f'Set field = "..." to the one that holds the text{no_header}, or files = "..." to leave this file out',
    )


def _read_csv(desk: _Desk) -> None:
    source, damage, kind = desk.source, desk.damage, desk.piece.format
    names, encoding = source.columns, desk.encoding
    reader = CsvReader(_blocks(desk), desk.max_record_bytes, kind, source.header, names, source.quotes, encoding)
    if reader.columns:
        _check_column(desk, reader.columns)
    last: Row | None = None
    for row in reader:
        if last is not None:
            _csv_row(desk, last)
        last = row
    if damage.found:  # only the last row can be cut off by damage
        desk.drop(last.number if last else 0, last.text if last else "", "read.truncated", damage.found)
    elif last is not None:
        _csv_row(desk, last)
    elif not reader.columns:
        desk.drop(0, "", "read.empty", 0)


def _csv_row(desk: _Desk, row: Row) -> None:
    desk.work.record = f"{desk.piece.relative}@{row.number}"
    desk.work.advance()
    if row.flaw:
        desk.drop(row.number, row.text, f"read.{row.flaw}", row.found or desk.max_record_bytes)
    else:
        desk.edit(row.repair, *row.fields.values())
        _row(desk, row.number, dict(row.fields))

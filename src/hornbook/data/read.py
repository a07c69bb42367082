"""Stage data.read: text, Markdown, JSON lines, CSV and Parquet, plain, gzip or zstd, to documents."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import InputPath, StrictSettings
from hornbook.data import funnel
from hornbook.data.files import csv_rows
from hornbook.data.files.parquet_rows import row_group_ranges
from hornbook.data.files.pieces import Source, check_names, read_piece
from hornbook.data.files.records import can_be_cut_anywhere
from hornbook.data.files.sources import (
    InputFile,
    Piece,
    find_files,
    is_utf16,
    locate,
    plan_shards,
    ranges,
    readable,
)
from hornbook.data.ledger import Ledger, conclude
from hornbook.shards.runner import run_shards
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {}
WRITES = "documents"
VERSION = 4

RULES = {
    "read.empty": "the record has no text (value: 0)",
    "read.too_large": "the record is longer than max_record_bytes (value: the limit; for several lines how many)",
    "read.truncated": "the file ends early or is damaged inside this record (value: what was found, and lost)",
    "read.not_json": "the line is not a JSON object (value: what the parser found)",
    "read.not_csv": "the row breaks the rules of CSV or has not as many fields as columns (value: what was found)",
    "read.no_field": "the record has no such field, or it holds no text (value: the field)",
    "read.replaced": "edit: bytes that are no text were replaced by U+FFFD",
    "read.transcoded": "edit: the record was not UTF-8 and was decoded in its detected encoding",
}


class Settings(StrictSettings):
    """What to read. Give `path` (one source) or `sources` (several)."""

    path: InputPath | None = None
    """The one input: a file, a folder, or `hub:owner/name`."""
    sources: tuple[Source, ...] = ()
    """Several inputs: a table each, `[[stage.sources]]`."""
    files: str = ""
    """With `path`: only files that match this glob."""
    field: str | tuple[str, ...] = "text"
    """With `path`: the field or column that holds the text, or several to be joined."""
    header: bool = True
    """With `path`, CSV: whether the first row names the columns."""
    columns: tuple[str, ...] = ()
    """With `path`, CSV without a header: the names of its columns."""
    quotes: bool = True
    """With `path`, CSV, TSV: whether quotation marks enclose fields."""
    mode: Literal["file", "separator", "paragraphs"] = "file"
    """With `path`: how text files are cut into documents."""
    separator: str = "<|endoftext|>"
    """With `path`: what stands between documents in mode `separator`."""
    max_chars: int = pydantic.Field(default=6000, ge=200)
    """With `path`: the longest chunk in mode `paragraphs`."""
    licence: str = ""
    """With `path`: the licence of the source."""
    max_record_bytes: int = pydantic.Field(default=16_000_000, ge=1)
    """A longer record is dropped (`read.too_large`) instead of held in memory."""
    shard_bytes: int = pydantic.Field(default=8_000_000, ge=1)
    """Size of one piece of work and of one output file, in bytes of input."""

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> "Settings":
        if (self.path is None) == (not self.sources):
            raise ValueError("give either path or sources")
        check_names(self.field, self.header, self.columns)
        return self

    def all_sources(self) -> tuple[Source, ...]:
        """The sources, however they were given."""
        if self.path is None:
            return self.sources
        return (
            Source(
                path=self.path,
                files=self.files,
                field=self.field,
                header=self.header,
                columns=self.columns,
                quotes=self.quotes,
                mode=self.mode,
                separator=self.separator,
                max_chars=self.max_chars,
                licence=self.licence,
            ),
        )


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Read every source into `kept/`; what cannot be read goes to `dropped/` with its reason."""
    sources = settings.all_sources()
    pieces: list[tuple[Piece, int]] = []
    broken: list[DataError] = []
    names: list[str] = []
    num_files = 0
    for number, source in enumerate(sources):
        root = locate(source.path, out.machine.cache_folder, source.files)
        names.append(source.name or readable(root.name).split(".")[0])
        for file in find_files(root, ("text", "jsonl", "parquet", *csv_rows.FORMATS), source.files, out.log.line):
            num_files += 1
            pieces += list(_pieces(number, source, file, settings.shard_bytes, broken))
    if len(broken) == num_files:
        raise broken[0]
    _refuse_equal_names(names)
    shards = plan_shards(pieces, settings.shard_bytes)
    job = f"data.read {VERSION} {settings.model_dump_json(exclude={'path'})} {names}"
    funnels = run_shards(
        read_shard, shards, out, label="read", common=(sources, names, settings.max_record_bytes), job=job
    )
    conclude(out, funnels, ", ".join(source.path for source in sources), [shard.name for shard in shards])
    out.licences.extend(source.licence for source in sources if source.licence)
    out.sources.extend(names)


def _refuse_equal_names(names: list[str]) -> None:
    """Ids are made from names: two sources of one name could give two documents one id."""
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise SettingsError(f'two sources are called "{twice}"', where="data.read, sources", do='Set name = "..."')


def _pieces(
    number: int, source: Source, file: InputFile, shard_bytes: int, broken: list[DataError]
) -> Iterator[tuple[Piece, int]]:
    """The parts in which a file can be read independently; Parquet files that are none are noted in `broken`."""
    borders: list[tuple[int, int | None]] = [(0, None)]
    size_bytes = file.size_bytes * (4 if file.compression else 1)
    if file.format == "parquet":
        try:
            borders = row_group_ranges(file.path, shard_bytes)
        except DataError as error:
            broken.append(error)
    elif file.size_bytes > shard_bytes and _can_be_cut(source, file):
        borders = ranges(file.size_bytes, shard_bytes)
    for begin, end in borders:
        piece = Piece(number, str(file.path), file.relative, file.format, file.compression, begin, end)
        yield piece, min(size_bytes, shard_bytes) if len(borders) > 1 else size_bytes


def _can_be_cut(source: Source, file: InputFile) -> bool:
    if file.compression or file.format in csv_rows.FORMATS or is_utf16(file.path):
        return False
    if file.format == "jsonl":
        return True
    return source.mode == "separator" and can_be_cut_anywhere(source.separator.encode())


def read_shard(
    work: Workspace, pieces: list[dict[str, Any]], common: tuple[tuple[Source, ...], list[str], int]
) -> dict[str, Any]:
    """Read the pieces of one shard."""
    sources, names, max_record_bytes = common
    ledger = Ledger(work)
    for values in pieces:
        piece = Piece(**values)
        read_piece(work, ledger, piece, sources[piece.source], names[piece.source], max_record_bytes)
    return ledger.close()


def describe(artifact: Artifact) -> "list[Block]":
    """What was read and what could not be, for reports."""
    return funnel.blocks(artifact, RULES)

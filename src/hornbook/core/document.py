"""Documents, and what a filter may decide about one."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import ArtifactError

if TYPE_CHECKING:
    import pyarrow

ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Document:
    """One text with where it came from. `id` never changes once given."""

    id: str
    text: str
    url: str = ""
    source: str = ""
    meta: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Keep:
    """The document stays as it is. `meta`: what was measured, kept with the document (here and in Edit and Drop)."""

    meta: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Edit:
    """The document stays with another text; `counts` says how many edits each named rule made."""

    text: str
    counts: dict[str, int]
    meta: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Drop:
    """The document goes; `rule` is a documented name (`gopher.too_short`), `value` what was measured (37)."""

    rule: str
    value: float | str
    meta: dict[str, Any] = field(default_factory=dict[str, Any])


Decision = Keep | Edit | Drop


def document_id(source: str, position: int) -> str:
    """32 hexadecimal digits from the source (relative to its root) and the record's position in it."""
    return hashlib.blake2b(f"{source}\x1f{position}".encode(), digest_size=16).hexdigest()


def to_table(documents: Iterable[Document]) -> "pyarrow.Table":
    """An Arrow table with the columns id, text, url, source, meta (JSON)."""
    import pyarrow

    rows = list(documents)
    columns = {
        "id": [d.id for d in rows],
        "text": [d.text for d in rows],
        "url": [d.url for d in rows],
        "source": [d.source for d in rows],
        "meta": [ENCODER.encode(d.meta) if d.meta else "{}" for d in rows],
    }
    return pyarrow.table({name: pyarrow.array(values, pyarrow.large_string()) for name, values in columns.items()})


def from_table(table: "pyarrow.Table | pyarrow.RecordBatch") -> Iterator[Document]:
    """The documents of an Arrow table (of any of its batches); columns but `id` and `text` may be missing."""
    names = table.schema.names
    columns = [
        table.column(name).to_pylist() if name in names else [""] * table.num_rows
        for name in ("id", "text", "url", "source", "meta")
    ]
    for identity, text, url, source, meta in zip(*columns, strict=True):
        yield Document(identity, text, url or "", source or "", json.loads(meta) if meta and meta != "{}" else {})


def document_shards(artifact_path: Path) -> list[Path]:
    """The Parquet shards of a documents artifact, in order. Raises ArtifactError when there are none."""
    shards = sorted((artifact_path / "kept").glob("*.parquet"))
    if not shards:
        raise ArtifactError("no documents are here", where=f"{artifact_path / 'kept'}/*.parquet")
    return shards


def read_documents(artifact_path: Path, batch_docs: int = 1024) -> Iterator[Document]:
    """Every kept document of a documents artifact, in order, without holding a shard in memory."""
    import pyarrow.parquet

    for shard in document_shards(artifact_path):
        with pyarrow.parquet.ParquetFile(shard) as file:
            for batch in file.iter_batches(batch_size=batch_docs):
                yield from from_table(batch)

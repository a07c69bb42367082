"""A random sample of documents by the hash of their ids: the same for any workers, order and split into files."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import document_shards
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

COLUMNS = ("id", "url", "source", "text", "meta")


def sample(
    artifacts: Sequence[Artifact],
    out: Out,
    num_docs: int,
    head_chars: int,
    dropped: bool = False,
    name: str = "sample",
) -> "pyarrow.Table":
    """About `num_docs` documents with the beginnings of their texts, in the order of their hashes.

    Every id has the same chance; one that several artifacts hold comes from the last of them, as kept or dropped
    there. `dropped`: take dropped documents too; `name`: of this sample, where a stage takes several. Columns: id, url,
    source, text (cut), meta, rule, value, key (uint64), part (which artifact).
    Two passes: the ids alone, to find the border, then the texts of those below it.
    """
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    work = Path(out.resume) / name
    work.mkdir(exist_ok=True)
    inside = replace(out, path=work)
    hashes = [artifact.manifest.payload_hash for artifact in artifacts]
    job = f"sample 1 {num_docs} {head_chars} {dropped} {hashes}"
    shards = [
        Shard(f"{part:02d}-{file.parent.name}-{file.stem}", {"file": str(file), "part": part})
        for part, artifact in enumerate(artifacts)
        for file in _files(artifact, dropped)
    ]
    run_shards(keys_shard, shards, inside, label="sample ids", common=num_docs, job=job)
    keys = np.zeros(0, np.uint64)
    for shard in shards:
        keys = np.unique(np.concatenate((keys, np.load(work / f"{shard.name}.keys.npy"))))[:num_docs]
    border = int(keys[-1]) if len(keys) else 0
    run_shards(pick_shard, shards, inside, label="sample texts", common=(border, head_chars), job=job)
    table = pyarrow.concat_tables([pyarrow.parquet.read_table(work / f"{shard.name}.parquet") for shard in shards])
    table = table.take(np.lexsort((table["part"].to_numpy(), table["key"].to_numpy())))
    last = np.flatnonzero(np.diff(table["key"].to_numpy(), append=np.uint64(0)) != 0)
    return table.take(last)


def keys_shard(work: Workspace, inputs: dict[str, Any], num_docs: int) -> dict[str, Any]:
    """The smallest keys of one file."""
    import numpy as np
    import pyarrow.parquet

    keys = np.unique(keys_of(pyarrow.parquet.read_table(inputs["file"], columns=["id"])["id"].to_pylist()))
    with work.output(f"{work.name}.keys.npy").open("wb") as file:
        np.save(file, keys[:num_docs])
    return {"in": len(keys)}


def pick_shard(work: Workspace, inputs: dict[str, Any], common: tuple[int, int]) -> dict[str, Any]:
    """The documents of one file whose key is not above the border."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    border, head_chars = common
    parts: list[pyarrow.Table] = []
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        names = [name for name in (*COLUMNS, "rule", "value") if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=1024, columns=names):
            keys = keys_of(batch.column("id").to_pylist())
            rows = np.flatnonzero(keys <= border)
            table = pyarrow.Table.from_batches([batch]).take(rows)
            columns = texts_of(table, (*COLUMNS, "rule", "value"))
            columns["text"] = beginnings(columns["text"], head_chars)
            columns |= {"key": pyarrow.array(keys[rows]), "part": pyarrow.array([inputs["part"]] * len(rows), "int32")}
            parts.append(pyarrow.table({name: columns[name] for name in _order()}))
            work.advance(batch.num_rows)
    table = pyarrow.concat_tables(parts) if parts else _empty()
    pyarrow.parquet.write_table(table, work.output(f"{work.name}.parquet"), compression="zstd")
    return {"in": 0}


def texts_of(table: "pyarrow.Table", names: Iterable[str]) -> dict[str, Any]:
    """Columns of a table as large strings, "" where a value, or a whole column, is not there."""
    import pyarrow

    empty = pyarrow.array([""] * len(table), pyarrow.large_string())
    return {
        name: table[name].cast(pyarrow.large_string()).fill_null("") if name in table.column_names else empty
        for name in names
    }


def beginnings(texts: Any, num_chars: int) -> Any:
    """The first characters of each text of an Arrow column."""
    import pyarrow.compute

    compute: Any = pyarrow.compute  # its stubs do not know this function
    return compute.utf8_slice_codeunits(texts, 0, num_chars)


def keys_of(ids: list[str]) -> "np.ndarray":
    """A 64-bit hash of each id (uint64). Source: BLAKE2b (RFC 7693)."""
    import numpy as np

    digests = b"".join(hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=8).digest() for identity in ids)
    return np.frombuffer(digests, "<u8")


def _files(artifact: Artifact, dropped: bool) -> list[Path]:
    files = document_shards(artifact.path)
    return files + sorted((artifact.path / "dropped").glob("*.parquet")) if dropped else files


def _order() -> tuple[str, ...]:
    return (*COLUMNS, "rule", "value", "key", "part")


def _empty() -> "pyarrow.Table":
    import pyarrow

    kinds: dict[str, Any] = dict.fromkeys(_order(), pyarrow.large_string())
    return pyarrow.schema(kinds | {"key": pyarrow.uint64(), "part": pyarrow.int32()}).empty_table()

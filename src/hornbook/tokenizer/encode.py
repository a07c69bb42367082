"""Stage tokenizer.encode: documents to memory-mapped token shards, split into training and validation by id."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pydantic

from hornbook.core.artifact import RESUME, Artifact, Out, write_json
from hornbook.core.document import document_shards, from_table
from hornbook.core.errors import DataError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings
from hornbook.core.units import human_bytes, human_count
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+", "tokenizer": "tokenizer"}
WRITES = "tokens"
VERSION = 2
BATCH_DOCS = 512
PARTS = ("train", "validation")


class Settings(StrictSettings):
    """How much is set aside for validation."""

    validation_frac: float = pydantic.Field(default=0.02, ge=0.0, lt=1.0)
    """Share of documents kept out of training, chosen by a hash of their id (the same document always falls on the
    same side). Of two documents or more, one is kept out at least, unless this is 0."""


class Part:
    """One part (train or validation) being written: ids in one file, lengths and raw bytes of each document."""

    def __init__(self, path: Path, dtype: Any) -> None:
        self._file: IO[bytes] = path.open("wb")
        self._dtype = dtype
        self.lengths: list[int] = []
        self.num_bytes: list[int] = []

    def add(self, ids: Sequence[int], num_bytes: int) -> None:
        """Append one document."""
        self._file.write(np.asarray(ids, dtype=self._dtype).tobytes())
        self.lengths.append(len(ids))
        self.num_bytes.append(num_bytes)

    def close(self, table: Path) -> None:
        """Finish, and write tokens and bytes of each document as two rows."""
        self._file.close()
        with table.open("wb") as out:
            np.save(out, np.array([self.lengths, self.num_bytes], dtype=np.int64))


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Encode every document as BOS, text, EOS. The same documents and tokenizer give the same bytes."""
    tokenizer = Tokenizer.load(inputs["tokenizer"].path)
    artifacts: tuple[Artifact, ...] = inputs["documents"]
    files = [(f"{i:02d}-{file.stem}", file) for i, a in enumerate(artifacts) for file in document_shards(a.path)]
    origins = [inputs["tokenizer"].manifest.payload_hash, *(a.manifest.payload_hash for a in artifacts)]
    summaries = run_shards(
        encode_shard,
        [Shard(name, {"file": str(file)}) for name, file in files],
        out,
        label="encode",
        common=(str(tokenizer.folder), settings.validation_frac),
        job=f"tokenizer.encode {VERSION} {settings.model_dump_json()} {origins}",
        total=sum(int(a.manifest.counts.get("docs", 0)) for a in artifacts) or None,
    )
    counts = _join(out.path, [name for name, _ in files], _rescued(settings, summaries), dtype_of(tokenizer))
    if not counts["train"]["docs"]:
        do = "Lower validation_frac, or look at the stages before this one with `hornbook look`"
        raise DataError("no document is left to train on", do=do)
    facts = {"dtype": dtype_of(tokenizer).name, "vocab_size": tokenizer.vocab_size, "bos_id": tokenizer.bos_id}
    write_json(out.path / "tokens.json", facts | {"eos_id": tokenizer.eos_id} | counts)
    tokenizer.copy_to(out.path / "tokenizer")
    out.counts |= {f"{part}_{name}": n for part, table in counts.items() for name, n in table.items()}


def encode_shard(work: Workspace, inputs: dict[str, str], common: tuple[str, float]) -> dict[str, Any]:
    """Encode one Parquet file; returns how many documents, and the first in line for validation."""
    import pyarrow.parquet

    folder, validation_frac = common
    tokenizer = Tokenizer.load(folder)
    writers = {part: Part(work.output(_piece(work.name, part, "bin")), dtype_of(tokenizer)) for part in PARTS}
    lowest, num_docs = (2**64, 0), 0
    with pyarrow.parquet.ParquetFile(Path(inputs["file"])) as file:
        for batch in file.iter_batches(batch_size=BATCH_DOCS):
            documents = list(from_table(batch))
            work.record = f"{documents[0].id} to {documents[-1].id}" if documents else ""
            for document, ids in zip(documents, tokenizer.encode_batch([d.text for d in documents]), strict=True):
                part = "validation" if is_validation(document.id, validation_frac) else "train"
                if part == "train":
                    lowest = min(lowest, (place_of(document.id), len(writers["train"].lengths)))
                writers[part].add([tokenizer.bos_id, *ids, tokenizer.eos_id], len(document.text.encode()))
            num_docs += len(documents)
            work.advance(len(documents))
    for part, writer in writers.items():
        writer.close(work.output(_piece(work.name, part, "npy")))
    return {"in": num_docs, "lowest": list(lowest)} | {part: len(writers[part].lengths) for part in PARTS}


def place_of(identity: str) -> int:
    """Where an id falls between 0 and 2^64: the lowest go to validation."""
    return key(0, f"tokenizer.encode/{identity}")


def is_validation(identity: str, validation_frac: float) -> bool:
    """Whether the document with this id is kept out of training."""
    return place_of(identity) < validation_frac * 2**64


def dtype_of(tokenizer: Tokenizer) -> "np.dtype[Any]":
    """Two bytes for each id where the vocabulary allows it, else four; little-endian."""
    return np.dtype("<u2" if tokenizer.vocab_size <= 65_535 else "<u4")


def describe(artifact: Artifact) -> "list[Block]":
    """Sizes of both parts, bytes per token, and the beginning of a few documents, cut into tokens."""
    from hornbook.report.blocks import Samples, Table

    facts = json.loads(artifact.file("tokens.json").read_text())
    rows: list[list[object]] = [
        [part, n["docs"], human_count(n["tokens"]), human_bytes(n["bytes"]), round(_per_token(n), 2)]
        for part, n in ((part, facts[part]) for part in PARTS)
    ]
    tokenizer = Tokenizer.load(artifact.path / "tokenizer")
    offsets = np.load(artifact.file("train.offsets.npy"), mmap_mode="r")
    ids = np.memmap(artifact.file("train.bin"), dtype=facts["dtype"], mode="r")
    items: list[dict[str, str]] = []
    for index in range(min(3, len(offsets) - 1)):
        start, end = int(offsets[index]), int(offsets[index + 1])
        shown = "|".join(
            tokenizer.token_bytes(int(i)).decode(errors="replace") for i in ids[start : min(end, start + 60)]
        )
        items.append({"document": str(index), "tokens": f"{end - start:,}", "begins": shown})
    note = "Each document is BOS, its text and EOS; bytes are those of the raw text, bytes per token leave both out."
    columns = ["part", "documents", "tokens", "text", "bytes per token"]
    return [Table("Tokens", columns, rows, note), Samples("Documents as tokens", items)]


def _per_token(counts: dict[str, int]) -> float:
    text_tokens = counts["tokens"] - 2 * counts["docs"]
    return counts["bytes"] / text_tokens if text_tokens > 0 else 0.0


def _piece(name: str, part: str, ending: str) -> str:
    return f"{RESUME}/pieces/{name}.{part}.{ending}"


def _rescued(settings: Settings, summaries: list[dict[str, Any]]) -> tuple[int, int] | None:
    """(shard, place in it) of the document to move to validation when the hashes left none there."""
    num_docs = sum(s["in"] for s in summaries)
    if not settings.validation_frac or num_docs < 2 or any(s["validation"] for s in summaries):
        return None
    shard = min(
        (index for index, s in enumerate(summaries) if s["train"]), key=lambda index: summaries[index]["lowest"]
    )
    return shard, int(summaries[shard]["lowest"][1])


def _join(
    folder: Path, names: list[str], rescued: tuple[int, int] | None, dtype: "np.dtype[Any]"
) -> dict[str, dict[str, int]]:
    """Put the pieces of all shards behind one another; returns documents, tokens and bytes of each part."""
    counts: dict[str, dict[str, int]] = {}
    for part in PARTS:
        tables = [np.load(folder / _piece(name, part, "npy")) for name in names]
        with (folder / f"{part}.bin").open("wb") as out:
            for index, name in enumerate(names):
                piece = folder / _piece(name, part, "bin")
                if rescued is not None and part == "train" and index == rescued[0]:
                    tables[index] = _without(piece, tables[index], rescued[1], dtype, out)
                else:
                    with piece.open("rb") as file:
                        shutil.copyfileobj(file, out, 1 << 20)
            if rescued is not None and part == "validation":
                tables = [_moved(folder, names[rescued[0]], rescued[1], dtype, out)]
        lengths, num_bytes = np.concatenate(tables, axis=1)
        np.save(folder / f"{part}.offsets.npy", np.concatenate(([0], np.cumsum(lengths))).astype(np.int64))
        np.save(folder / f"{part}.bytes.npy", num_bytes)
        counts[part] = {"docs": len(lengths), "tokens": int(lengths.sum()), "bytes": int(num_bytes.sum())}
    return counts


def _without(piece: Path, table: "np.ndarray", place: int, dtype: "np.dtype[Any]", out: IO[bytes]) -> "np.ndarray":
    ids = np.fromfile(piece, dtype=dtype)
    start = int(table[0, :place].sum())
    out.write(np.delete(ids, np.s_[start : start + int(table[0, place])]).tobytes())
    return np.delete(table, place, axis=1)


def _moved(folder: Path, name: str, place: int, dtype: "np.dtype[Any]", out: IO[bytes]) -> "np.ndarray":
    table = np.load(folder / _piece(name, "train", "npy"))
    start = int(table[0, :place].sum())
    ids = np.fromfile(folder / _piece(name, "train", "bin"), dtype=dtype)
    out.write(ids[start : start + int(table[0, place])].tobytes())
    return table[:, place : place + 1]

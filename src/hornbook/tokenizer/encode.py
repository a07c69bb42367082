"""Stage tokenizer.encode: documents to memory-mapped token shards, split into training and validation by id."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pydantic

from hornbook.core.artifact import Artifact, Out, write_json
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings
from hornbook.core.units import human_bytes, human_count
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+", "tokenizer": "tokenizer"}
WRITES = "tokens"
VERSION = 1
BATCH_DOCS = 512
PARTS = ("train", "validation")


class Settings(StrictSettings):
    """How much is set aside for validation."""

    validation_frac: float = pydantic.Field(default=0.02, ge=0.0, lt=1.0)
    """Share of documents kept out of training, chosen by a hash of their id (the same document always falls on the
    same side)."""


class Writer:
    """One part (train or validation) on disk: ids, document offsets, raw bytes of each document."""

    def __init__(self, folder: Path, part: str, dtype: Any) -> None:
        self._folder, self._part, self._dtype = folder, part, dtype
        self._file: IO[bytes] = (folder / f"{part}.bin").open("wb")
        self._lengths: list[int] = []
        self._bytes: list[int] = []

    def add(self, ids: list[int], num_bytes: int) -> None:
        """Append one document."""
        self._file.write(np.asarray(ids, dtype=self._dtype).tobytes())
        self._lengths.append(len(ids))
        self._bytes.append(num_bytes)

    def close(self) -> dict[str, int]:
        """Write offsets and byte counts; returns what there is."""
        self._file.close()
        offsets = np.concatenate(([0], np.cumsum(self._lengths, dtype=np.int64))).astype(np.int64)
        np.save(self._folder / f"{self._part}.offsets.npy", offsets)
        np.save(self._folder / f"{self._part}.bytes.npy", np.asarray(self._bytes, dtype=np.int64))
        return {"docs": len(self._lengths), "tokens": int(offsets[-1]), "bytes": int(sum(self._bytes))}


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Encode every document as BOS, text, EOS. The same documents and tokenizer give the same bytes."""
    tokenizer = Tokenizer.load(inputs["tokenizer"].path)
    dtype = np.dtype("<u2" if tokenizer.vocab_size <= 65_536 else "<u4")
    writers = {part: Writer(out.path, part, dtype) for part in PARTS}
    artifacts = inputs["documents"]
    total = sum(int(a.manifest.counts.get("docs", 0)) for a in artifacts) or None
    with out.log.task("encode", total=total, unit="docs") as task:
        for batch in _batches(artifacts):
            for document, ids in zip(batch, tokenizer.encode_batch([d.text for d in batch]), strict=True):
                part = "validation" if _is_validation(document.id, settings.validation_frac) else "train"
                writers[part].add([tokenizer.bos_id, *ids, tokenizer.eos_id], len(document.text.encode()))
            task.advance(len(batch))
    counts = {part: writers[part].close() for part in PARTS}
    if not counts["train"]["docs"]:
        raise DataError("no document is left to train on", do="Look at the stages before this one with `hornbook look`")
    facts = {"dtype": dtype.name, "vocab_size": tokenizer.vocab_size, "bos_id": tokenizer.bos_id}
    write_json(out.path / "tokens.json", facts | {"eos_id": tokenizer.eos_id} | counts)
    tokenizer.copy_to(out.path / "tokenizer")
    out.counts |= {f"{part}_{name}": n for part, table in counts.items() for name, n in table.items()}


def describe(artifact: Artifact) -> "list[Block]":
    """Sizes of both parts, bytes per token, and the beginning of a few documents, cut into tokens."""
    from hornbook.report.blocks import Samples, Table

    facts = json.loads(artifact.file("tokens.json").read_text())
    rows = [
        (part, f"{n['docs']:,}", human_count(n["tokens"]), human_bytes(n["bytes"]), f"{_per_token(n):.2f}")
        for part, n in ((part, facts[part]) for part in PARTS)
    ]
    tokenizer = Tokenizer.load(artifact.path / "tokenizer")
    offsets = np.load(artifact.file("train.offsets.npy"), mmap_mode="r")
    ids = np.memmap(artifact.file("train.bin"), dtype=facts["dtype"], mode="r")
    samples = []
    for index in range(min(3, len(offsets) - 1)):
        start, end = int(offsets[index]), int(offsets[index + 1])
        tokens = [tokenizer.token_bytes(int(i)).decode("utf-8", "replace") for i in ids[start : min(end, start + 60)]]
        samples.append({"document": str(index), "tokens": str(end - start), "begins": "|".join(tokens)})
    columns = ("part", "documents", "tokens", "text", "bytes per token")
    return [Table("Tokens", columns, rows), Samples("Documents as tokens", samples)]


def _per_token(counts: dict[str, int]) -> float:
    text_tokens = counts["tokens"] - 2 * counts["docs"]
    return counts["bytes"] / text_tokens if text_tokens > 0 else 0.0


def _is_validation(identity: str, frac: float) -> bool:
    return key(0, f"tokenizer.encode/{identity}") < frac * 2**64


def _batches(artifacts: Any) -> Iterator[list[Document]]:
    batch: list[Document] = []
    for artifact in artifacts if isinstance(artifacts, tuple) else (artifacts,):
        for document in read_documents(artifact.path):
            batch.append(document)
            if len(batch) == BATCH_DOCS:
                yield batch
                batch = []
    if batch:
        yield batch

"""Stage data.dedup: drop copies and near-copies, keep the best one of each group."""

import hashlib
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import document_shards, from_table
from hornbook.core.settings import StrictSettings
from hornbook.data import funnel
from hornbook.data.clusters import band_pairs, best_of_each, components, same_groups
from hornbook.data.ledger import Ledger, conclude, num_bytes
from hornbook.data.shingles import jaccard, shingles
from hornbook.shards.partition import mix
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+"}
WRITES = "documents"
VERSION = 1

RULES = {
    "dedup.exact": "but for case and white space the text of a document that is kept (value: 1; meta.duplicate_of)",
    "dedup.minhash": "alike to a document that is kept (value: the Jaccard similarity of their word shingles, at least "
    "threshold; meta.duplicate_of). Source: Broder 1997; bands and rows as FineWeb (Penedo et al. 2024)",
}

PERMUTATION_SEED = 1


class Settings(StrictSettings):
    """What counts as a copy. Catches a pair of similarity s with probability 1 - (1 - s^rows)^bands."""

    exact: bool = True
    """Drop documents that are the same but for case and white space."""
    fuzzy: bool = True
    """Drop documents that are nearly the same (MinHash)."""
    shingle_words: int = pydantic.Field(default=5, ge=1, le=50)
    """Words in a shingle."""
    bands: int = pydantic.Field(default=14, ge=1, le=256)
    """Bands of the signature; documents that agree in one whole band are compared."""
    rows: int = pydantic.Field(default=8, ge=1, le=64)
    """Numbers in a band."""
    threshold: float = pydantic.Field(default=0.75, gt=0, le=1)
    """Two documents are copies when the Jaccard similarity of their shingles is at least this (verified)."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Signatures for each shard, groups over all of them, then every shard again without its copies."""
    found = inputs["documents"]
    artifacts: tuple[Artifact, ...] = found if isinstance(found, tuple) else (found,)
    files = [file for artifact in artifacts for file in document_shards(artifact.path)]
    hashes = [artifact.manifest.payload_hash for artifact in artifacts]
    job = f"data.dedup {VERSION} {settings.model_dump_json()} {hashes}"
    total = sum(artifact.manifest.counts.get("docs", 0) for artifact in artifacts) or None
    work = Path(out.resume) / "work"
    work.mkdir(exist_ok=True)
    names = [f"{number:05d}" for number in range(len(files))]
    sign = [Shard(name, {"file": str(file)}) for name, file in zip(names, files, strict=True)]
    sign_out = replace(out, path=work)
    counts = run_shards(sign_shard, sign, sign_out, label="signatures", common=settings, job=job, total=total)
    verdicts = _verdicts(settings, sign_out, sign, [count["in"] for count in counts], job)
    _write_verdicts(work, names, [count["in"] for count in counts], verdicts)
    decide = [
        Shard(name, {"file": str(file), "verdicts": str(work / f"{name}.verdicts.json")})
        for name, file in zip(names, files, strict=True)
    ]
    funnels = run_shards(decide_shard, decide, out, label="dedup", job=job, total=total)
    conclude(out, funnels, ", ".join(str(artifact.path) for artifact in artifacts), names)
    for artifact in artifacts:
        out.licences.extend(artifact.manifest.licences)
        out.sources.extend(artifact.manifest.sources)


def sign_shard(work: Workspace, inputs: dict[str, str], settings: Settings) -> dict[str, Any]:
    """Hashes of one Parquet file: exact text, length, id, and the keys of the bands."""
    import numpy as np
    import pyarrow.parquet

    parts: list[dict[str, np.ndarray]] = []
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        for batch in file.iter_batches(batch_size=1024, columns=["id", "text"]):
            texts = batch.column("text").to_pylist()
            parts.append(_signatures(batch.column("id").to_pylist(), texts, settings))
            work.advance(len(texts))
    if not parts:
        parts = [_signatures([], [], settings)]
    count = sum(len(part["length"]) for part in parts)
    for name in ("exact", "length", "id", "bands", "words"):
        merged = np.concatenate([part[name] for part in parts])
        with work.output(f"{work.name}.{name}.npy").open("wb") as file_out:
            np.save(file_out, merged)
    return {"in": count}


def _signatures(ids: list[str], texts: list[str], settings: Settings) -> dict[str, "np.ndarray"]:
    import numpy as np

    exact = b"".join(
        hashlib.blake2b(" ".join(text.lower().split()).encode("utf-8", "replace"), digest_size=16).digest()
        for text in texts
    )
    hashes, offsets = shingles(texts, settings.shingle_words)
    return {
        "exact": np.frombuffer(exact, np.uint64).reshape(-1, 2),
        "length": np.array([len(text) for text in texts], np.int64),
        "id": np.array([identity.encode() for identity in ids], np.bytes_),
        "bands": band_keys(hashes, offsets, settings.bands, settings.rows),
        "words": np.diff(offsets),
    }


def band_keys(hashes: "np.ndarray", offsets: "np.ndarray", bands: int, rows: int) -> "np.ndarray":
    """One 64-bit key for each band of each document [documents, bands].

    Source: MinHash signatures by rensa's exact digests (never its sampled `rho` mode, which is biased); documents
    without shingles get keys that depend on their number alone and must be left out by the caller.
    """
    import numpy as np
    import rensa

    num_documents = len(offsets) - 1
    if num_documents == 0:
        return np.zeros((0, bands), np.uint64)
    signer = rensa.RMinHash  # pyright: ignore[reportAttributeAccessIssue]
    digests = signer.digest_matrix_from_flat_token_hashes(
        hashes, offsets.astype(np.uint64), bands * rows, PERMUTATION_SEED
    )
    matrix = np.array(digests.to_rows(), np.uint64).reshape(num_documents, bands, rows)
    keys = np.zeros((num_documents, bands), np.uint64)
    with np.errstate(over="ignore"):
        for row in range(rows):
            keys = mix(keys ^ matrix[:, :, row])
    return keys


def _verdicts(
    settings: Settings, out: Out, shards: list[Shard], counts: list[int], job: str
) -> dict[int, tuple[str, float, int]]:
    """For each document to drop, by its number over all shards: rule, value, number of the copy that is kept."""
    import numpy as np

    def load(name: str) -> "np.ndarray":
        return np.concatenate([np.load(out.path / f"{shard.name}.{name}.npy") for shard in shards])

    lengths, num_documents = load("length"), sum(counts)
    ids = np.unique(load("id"), return_inverse=True)[1]
    kept_exact = np.arange(num_documents)
    if settings.exact:
        exact = load("exact").reshape(-1, 2)
        kept_exact = best_of_each(same_groups(exact[:, 0], exact[:, 1]), lengths, ids)
    kept_fuzzy = np.arange(num_documents)
    sets: dict[int, np.ndarray] = {}
    if settings.fuzzy:
        alone = np.flatnonzero((kept_exact == np.arange(num_documents)) & (load("words") > 0))
        pairs = _candidates(out.path, shards, alone, settings.bands)
        sets = _shingle_sets(settings, out, shards, counts, np.unique(pairs), job)
        similar = np.array([jaccard(sets[a], sets[b]) >= settings.threshold for a, b in pairs.tolist()], bool)
        kept_fuzzy = best_of_each(components(num_documents, pairs[similar]), lengths, ids)
    verdicts: dict[int, tuple[str, float, int]] = {}
    for number in np.flatnonzero(kept_exact != np.arange(num_documents)).tolist():
        verdicts[number] = ("dedup.exact", 1.0, int(kept_fuzzy[kept_exact[number]]))
    for number in np.flatnonzero(kept_fuzzy != np.arange(num_documents)).tolist():
        kept = int(kept_fuzzy[number])
        verdicts[number] = ("dedup.minhash", jaccard(sets[number], sets[kept]), kept)
    return verdicts


def _candidates(folder: Path, shards: list[Shard], alone: "np.ndarray", bands: int) -> "np.ndarray":
    """Pairs of documents that agree in a band; one band is in memory at a time."""
    import numpy as np

    maps = [np.load(folder / f"{shard.name}.bands.npy", mmap_mode="r") for shard in shards]
    found = [np.zeros((0, 2), np.int64)]
    for band in range(bands):
        keys = np.concatenate([m[:, band] for m in maps if len(m)] or [np.zeros(0, np.uint64)])
        found.append(alone[band_pairs(keys[alone])])
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs, axis=0)


def _shingle_sets(
    settings: Settings, out: Out, shards: list[Shard], counts: list[int], needed: "np.ndarray", job: str
) -> dict[int, "np.ndarray"]:
    """The sorted shingles of the documents that are in some candidate pair, read from disk as they are needed."""
    import numpy as np

    starts = np.concatenate(([0], np.cumsum(counts)))
    bounds = np.searchsorted(needed, starts)
    jobs = []
    for number, shard in enumerate(shards):
        rows = (needed[bounds[number] : bounds[number + 1]] - starts[number]).tolist()
        if rows:
            jobs.append((number, Shard(shard.name, {"file": shard.inputs["file"], "rows": rows})))
    run_shards(shingle_shard, [s for _, s in jobs], out, label="compare", common=settings, job=job)
    sets: dict[int, np.ndarray] = {}
    for number, shard in jobs:
        flat = np.load(out.path / f"{shard.name}.shingles.npy", mmap_mode="r")
        offsets = np.load(out.path / f"{shard.name}.shingle_offsets.npy")
        for index, row in enumerate(shard.inputs["rows"]):
            sets[int(starts[number]) + row] = flat[offsets[index] : offsets[index + 1]]
    return sets


def shingle_shard(work: Workspace, inputs: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The sorted, different shingles of some rows of one Parquet file."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    wanted = np.array(inputs["rows"], np.int64)
    parts: list[np.ndarray] = []
    position = 0
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        for batch in file.iter_batches(batch_size=1024, columns=["text"]):
            here = wanted[(wanted >= position) & (wanted < position + batch.num_rows)] - position
            position += batch.num_rows
            if not len(here):
                continue
            texts = batch.column("text").take(pyarrow.array(here)).to_pylist()
            hashes, offsets = shingles(texts, settings.shingle_words)
            parts += [np.unique(hashes[a:b]) for a, b in itertools.pairwise(offsets.tolist())]
    sizes = np.array([len(part) for part in parts], np.int64)
    with work.output(f"{work.name}.shingles.npy").open("wb") as file_out:
        np.save(file_out, np.concatenate(parts) if parts else np.zeros(0, np.uint64))
    with work.output(f"{work.name}.shingle_offsets.npy").open("wb") as file_out:
        np.save(file_out, np.concatenate(([0], np.cumsum(sizes))))
    return {"in": 0}


def _write_verdicts(
    folder: Path, names: list[str], counts: list[int], verdicts: dict[int, tuple[str, float, int]]
) -> None:
    """One file of verdicts for each shard: row -> [rule, value, id of the kept copy]."""
    import numpy as np

    starts = [0]
    for count in counts:
        starts.append(starts[-1] + count)
    by_shard: list[dict[int, list[Any]]] = [{} for _ in names]
    ids = [np.load(folder / f"{name}.id.npy") for name in names]
    borders = np.array(starts)
    for number, (rule, value, kept) in verdicts.items():
        shard = int(np.searchsorted(borders, number, side="right")) - 1
        home = int(np.searchsorted(borders, kept, side="right")) - 1
        by_shard[shard][number - starts[shard]] = [rule, value, ids[home][kept - starts[home]].decode()]
    for name, rows in zip(names, by_shard, strict=True):
        (folder / f"{name}.verdicts.json").write_text(json.dumps(rows))


def decide_shard(work: Workspace, inputs: dict[str, str], common: None) -> dict[str, Any]:
    """Write one Parquet file again, without its copies."""
    import pyarrow.parquet

    verdicts = json.loads(Path(inputs["verdicts"]).read_text())
    ledger = Ledger(work)
    position = 0
    with pyarrow.parquet.ParquetFile(inputs["file"]) as file:
        for batch in file.iter_batches(batch_size=1024):
            for document in from_table(batch):
                verdict = verdicts.get(str(position))
                size = num_bytes(document.text)
                if verdict is None:
                    ledger.keep(document, size)
                else:
                    rule, value, kept = verdict
                    ledger.drop(replace(document, meta=document.meta | {"duplicate_of": kept}), rule, value, size)
                work.advance()
                position += 1
    return ledger.close()


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel with samples, for reports."""
    return funnel.blocks(artifact, RULES)

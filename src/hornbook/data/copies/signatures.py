"""What deduplication knows of each document: hashes of its address and text, its rank, its MinHash bands."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hornbook.core.document import Document, from_table
from hornbook.data.copies.shingles import in_chunks, shingles
from hornbook.data.web.addresses import normalised
from hornbook.shards.partition import mix
from hornbook.shards.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np

PERMUTATION_SEED = 1

Keep = Literal["longest", "first", "newest", "highest"]


@dataclass(frozen=True)
class Plan:
    """What to note of each document.

    `cuts`: (bands, rows) of MinHash, all cut from the same numbers, none = no MinHash; `words`: of a shingle; `keep`,
    `keep_by`: the rule by which copies are ranked and the field of `meta` it looks at; `exact`, `url`: whether to hash
    text and address; `mobile`, `ignore`: whether mobile addresses are the same, and parameters to leave out.
    """

    cuts: tuple[tuple[int, int], ...]
    words: int
    keep: Keep
    keep_by: str
    exact: bool
    url: bool
    mobile: bool
    ignore: frozenset[str]


def sign(work: Workspace, file: Path, columns: list[str], plan: Plan) -> dict[str, Any]:
    """Write the arrays of one Parquet file: `NAME.rank.npy`, `.id.npy` and, as planned, `.exact`, `.url`, `.bands`."""
    import numpy as np

    parts: list[dict[str, np.ndarray]] = []
    for documents in chunks(file, columns):
        parts.append(_of_chunk(documents, plan))
        work.advance(len(documents))
    parts = parts or [_of_chunk([], plan)]
    for name in parts[0]:
        merged = np.concatenate([part[name] for part in parts])
        if name == "bands":  # one band after the other, so that one can be read alone
            merged = np.ascontiguousarray(merged.T)
        with work.output(f"{work.name}.{name}.npy").open("wb") as out:
            np.save(out, merged)
    return {"in": sum(len(part["rank"]) for part in parts)}


def chunks(file: Path, columns: list[str]) -> Iterator[list[Document]]:
    """The documents of a Parquet file, in lists that are hashed together."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as parquet:
        there = [name for name in columns if name in parquet.schema_arrow.names]
        batches = parquet.iter_batches(batch_size=1024, columns=there)
        yield from in_chunks((document for batch in batches for document in from_table(batch)), lambda d: d.text)


def _of_chunk(documents: list[Document], plan: Plan) -> dict[str, "np.ndarray"]:
    import numpy as np

    found: dict[str, np.ndarray] = {
        "rank": np.array([rank(document, plan.keep, plan.keep_by) for document in documents], np.float64),
        "id": np.array([document.id.encode() for document in documents], np.bytes_),
    }
    if plan.exact:
        found["exact"] = _digests(" ".join(document.text.lower().split()) for document in documents)
    if plan.url:
        urls = [normalised(d.url, plan.mobile, plan.ignore) if d.url else "" for d in documents]
        found["url"] = _digests(urls) * np.array([bool(url) for url in urls], np.uint64).reshape(-1, 1)
    if plan.cuts:
        hashes, offsets = shingles([document.text for document in documents], plan.words)
        found["bands"] = band_keys(hashes, offsets, plan.cuts)
        found["words"] = np.diff(offsets).astype(np.int32)
    return found


def _digests(texts: Iterable[str]) -> "np.ndarray":
    """BLAKE2b-128 of each text as two uint64."""
    import numpy as np

    joined = b"".join(hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=16).digest() for t in texts)
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)


def rank(document: Document, keep: Keep, field: str) -> float:
    """How much a document is worth keeping among its copies; without the field it is worth least."""
    if keep == "longest":
        return len(document.text)
    value = document.meta.get(field) if keep != "first" else 0
    if isinstance(value, str) and keep == "newest":
        return _seconds(value)
    try:
        number = float(value)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError, OverflowError):
        return -math.inf
    return -math.inf if math.isnan(number) else number


def _seconds(date: str) -> float:
    """Seconds since 1970 of an ISO date or time, a year, or a date as HTTP writes it; the least for anything else.

    >>> _seconds("1970-01-02"), _seconds("1971"), _seconds("Fri, 02 Jan 1970 00:00:00 GMT"), _seconds("yesterday")
    (86400.0, 31536000.0, 86400.0, -inf)
    """
    text = date.strip()
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(f"{text}-01-01" if len(text) == 4 and text.isdigit() else text)
        except (ValueError, OverflowError):
            continue
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return -math.inf


def band_keys(hashes: "np.ndarray", offsets: "np.ndarray", cuts: tuple[tuple[int, int], ...]) -> "np.ndarray":
    """One 64-bit key for each band of each document [documents, bands of all cuts].

    Source: MinHash signatures by rensa's exact digests (never its sampled `rho` mode, which is biased); documents
    without shingles get keys that depend on their number alone and must be left out by the caller.
    """
    import numpy as np
    import rensa

    num_documents = len(offsets) - 1
    keys = np.zeros((num_documents, sum(bands for bands, _ in cuts)), np.uint64)
    if num_documents == 0 or not cuts:
        return keys
    signer = rensa.RMinHash  # pyright: ignore[reportAttributeAccessIssue]
    num_numbers = max(bands * rows for bands, rows in cuts)
    digests = signer.digest_matrix_from_flat_token_hashes(
        hashes, offsets.astype(np.uint64), num_numbers, PERMUTATION_SEED
    )
    numbers = np.array(digests.to_rows(), np.uint64)
    begin = 0
    for bands, rows in cuts:
        cut = numbers[:, : bands * rows].reshape(num_documents, bands, rows)
        with np.errstate(over="ignore"):
            for row in range(rows):
                keys[:, begin : begin + bands] = mix(keys[:, begin : begin + bands] ^ cut[:, :, row])
        begin += bands
    return keys

"""The peers' side of bench/minhash.py, in a process and an environment of its own.

    .peers/bin/python bench/minhash_peer.py NAME INPUT_FOLDER OUTPUT_FOLDER WORKERS

NAME: datatrove (its four MinHash stages, Parquet in and out), rensa or datasketch (their own signatures and LSH over
Python word shingles). Prints one line of JSON: seconds and the numbers of the removed documents with the one each is
removed for (-1: not said).
"""

import glob
import json
import re
import sys
import time
from typing import Any

import pyarrow.parquet

WORDS, BANDS, ROWS = 5, 14, 8
WORD = re.compile(r"[a-z0-9\u0080-\U0010ffff]+")


def shingles(text: str) -> list[bytes]:
    """The different word shingles of a text."""
    words = WORD.findall(text.lower())
    return list({" ".join(words[i : i + WORDS]).encode() for i in range(max(1, len(words) - WORDS + 1))})


def read(folder: str) -> list[tuple[str, str]]:
    """(id, text) of every document."""
    tables = [
        pyarrow.parquet.read_table(file, columns=["id", "text"]) for file in sorted(glob.glob(f"{folder}/*.parquet"))
    ]
    return [row for t in tables for row in zip(t["id"].to_pylist(), t["text"].to_pylist(), strict=True)]


def datatrove(folder: str, out: str, workers: int) -> list[tuple[str, str]]:
    """The four stages of its example, FineWeb's parameters, Parquet on both ends."""
    from datatrove.executor.local import LocalPipelineExecutor  # pyright: ignore[reportMissingImports]
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature  # pyright: ignore[reportMissingImports]
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets  # pyright: ignore[reportMissingImports]
    from datatrove.pipeline.readers import ParquetReader  # pyright: ignore[reportMissingImports]
    from datatrove.pipeline.writers import ParquetWriter  # pyright: ignore[reportMissingImports]
    from datatrove.utils.hashing import HashConfig  # pyright: ignore[reportMissingImports]

    config = MinhashConfig(WORDS, BANDS, ROWS, hash_config=HashConfig(precision=64))
    tasks = len(glob.glob(f"{folder}/*.parquet"))
    reader = ParquetReader(folder, doc_progress=False, file_progress=False)
    kept, removed = f"{out}/kept", f"{out}/removed"
    steps: list[tuple[list[Any], int]] = [
        ([reader, MinhashDedupSignature(f"{out}/signatures", config=config)], tasks),
        ([MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)], BANDS),
        ([MinhashDedupCluster(f"{out}/buckets", f"{out}/remove", config=config, save_cluster_id=True)], 1),
        (
            [
                reader,
                MinhashDedupFilter(f"{out}/remove", exclusion_writer=ParquetWriter(removed), load_cluster_ids=True),
                ParquetWriter(kept),
            ],
            tasks,
        ),
    ]
    for number, (pipeline, num) in enumerate(steps):
        LocalPipelineExecutor(
            pipeline, tasks=num, workers=min(workers, num), logging_dir=f"{out}/logs/{number}", skip_completed=False
        ).run()
    homes = {c: identity for identity, c in clusters(kept) if c is not None}
    return [(identity, homes.get(c, "")) for identity, c in clusters(removed)]


def clusters(folder: str) -> list[tuple[str, Any]]:
    """(id, cluster) of what datatrove wrote."""
    found: list[tuple[str, Any]] = []
    for file in sorted(glob.glob(f"{folder}/**/*.parquet", recursive=True)):
        for row in pyarrow.parquet.read_table(file).to_pylist():
            found.append((row["id"], (row.get("metadata") or {}).get("minhash_cluster_id")))
    return found


def rensa(folder: str, out: str, workers: int) -> list[tuple[str, str]]:
    """Exact signatures in bulk and its own LSH; a document that finds an earlier one is removed."""
    from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]

    lsh = RMinHashLSH(0.75, BANDS * ROWS, BANDS)
    documents = read(folder)
    signatures = RMinHash.from_token_sets([shingles(text) for _, text in documents], BANDS * ROWS, 1)
    removed: list[tuple[str, str]] = []
    for number, signature in enumerate(signatures):
        found = lsh.query(signature)
        if found:
            removed.append((documents[number][0], documents[min(found)][0]))
        lsh.insert(number, signature)
    return removed


def datasketch(folder: str, out: str, workers: int) -> list[tuple[str, str]]:
    """Its bulk signatures and its LSH; a document that finds an earlier one is removed."""
    from datasketch import MinHash, MinHashLSH  # pyright: ignore[reportMissingImports]

    lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    documents = read(folder)
    signatures = MinHash.bulk([shingles(text) for _, text in documents], num_perm=BANDS * ROWS, seed=1)
    removed: list[tuple[str, str]] = []
    for number, signature in enumerate(signatures):
        found = lsh.query(signature)
        if found:
            removed.append((documents[number][0], documents[min(found)][0]))
        lsh.insert(number, signature)
    return removed


def answer(name: str, folder: str, out: str, workers: int) -> None:
    """Run one peer and print what it took."""
    begin = time.perf_counter()
    removed = {"datatrove": datatrove, "rensa": rensa, "datasketch": datasketch}[name](folder, out, workers)
    print(json.dumps({"seconds": time.perf_counter() - begin, "removed": removed}), flush=True)


if __name__ == "__main__":
    answer(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))

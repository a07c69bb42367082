"""Generated texts whose class is known: words of two vocabularies, drawn with different chances."""

import hashlib
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, read_documents, to_table
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import passes

SHARED = [f"word{i}" for i in range(200)]
GOOD = [f"theorem{i}" for i in range(40)]
BAD = [f"bargain{i}" for i in range(40)]


def text(good: float, seed: int, words: int = 60, signal: float = 0.2) -> str:
    """A text; of its telling words a share of `good` is from the good vocabulary."""
    rng = random.Random(seed)
    drawn = [
        rng.choice(GOOD if rng.random() < good else BAD) if rng.random() < signal else rng.choice(SHARED)
        for _ in range(words)
    ]
    lines = [" ".join(drawn[i : i + 12]).capitalize() + "." for i in range(0, len(drawn), 12)]
    return "\n".join(lines)


def documents(num: int, good_share: float = 0.4, hosts: int = 30, first: int = 0) -> list[tuple[Document, bool]]:
    """Documents and whether each is good; hosts hold both kinds."""
    found: list[tuple[Document, bool]] = []
    for number in range(first, first + num):
        rng = random.Random(10_000 + number)
        good = rng.random() < good_share
        url = f"https://host{rng.randrange(hosts)}.example/{'good' if good else 'bad'}/{number}"
        found.append((Document(f"id{number}", text(0.8 if good else 0.2, number), url, "s", {"k": 1}), good))
    return found


def artifact(folder: Path, rows: list[Document], shards: int = 3) -> Artifact:
    """A documents artifact of so many shards."""
    (folder / "kept").mkdir(parents=True)
    size = -(-len(rows) // shards)
    for number in range(shards):
        table = to_table(rows[number * size : (number + 1) * size])
        pq.write_table(table, folder / f"kept/{number:05d}.parquet")
    counts = {"docs": len(rows)}
    return Artifact(folder, Manifest("documents", payload_hash=folder.name, counts=counts))


def do(stage: Any, folder: Path, inputs: dict[str, Artifact], workers: int = 1, **settings: Any) -> Artifact:
    """Run a stage; its artifact."""
    out = scratch_out(folder, seed=7, machine=Machine(workers=workers))
    stage.run(parse(stage.Settings, settings, "test"), inputs, out)
    manifest = Manifest("documents", stage="data.x", settings=settings, payload_hash=folder.name, counts=out.counts)
    return Artifact(folder, manifest)


def restarted(
    monkeypatch: pytest.MonkeyPatch, stage: Any, folder: Path, inputs: dict[str, Artifact], **settings: Any
) -> Artifact:
    """Run a stage, interrupted when its shards are done and its books still open, and run it again."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(passes, "conclude", stop)
        do(stage, folder, inputs, **settings)
    return do(stage, folder, inputs, **settings)


def dropped(folder: Path) -> list[dict[str, Any]]:
    """Rows of the dropped documents."""
    return [row for file in sorted((folder / "dropped").iterdir()) for row in pq.read_table(file).to_pylist()]


def digest(folder: Path) -> str:
    """A hash of every row; numbers of `meta` to two digits, since the last bits of training differ between CPUs."""
    rows: list[Any] = []
    for name in ("kept", "dropped"):
        for file in sorted((folder / name).glob("*.parquet")):
            for row in pq.read_table(file, columns=["id", "text", "meta"]).to_pylist():
                meta = json.loads(row["meta"])
                marks = {k: round(v, 2) if isinstance(v, float) else v for k, v in sorted(meta.items())}
                rows.append((name, row["id"], row["text"], marks))
    return hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest()


def world(folder: Path, text_bytes: int = 400_000) -> tuple[Artifact, Artifact, dict[str, dict[str, Any]]]:
    """Pages of the generated world, their documents without addresses (which name the kind), the truth by id."""
    from hornbook.data import extract
    from hornbook.world import facts, pages

    inputs = {"truth": do(facts, folder / "facts", {})}
    found = do(pages, folder / "pages", inputs, text_bytes=text_bytes)
    do(extract, folder / "text", {"pages": found}, profile="fast")
    rows = [replace(document, url="") for document in read_documents(folder / "text")]
    tables = [pq.read_table(file) for file in sorted((folder / "pages/truth").iterdir())]
    return found, artifact(folder / "bare", rows), {row["id"]: row for t in tables for row in t.to_pylist()}

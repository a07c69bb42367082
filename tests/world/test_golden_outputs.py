"""What the world's stages make of seed 7. A change of a hash needs a new VERSION in that stage."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.settings import parse
from hornbook.world import conversations, facts, pages, tasks

GOLDEN = {
    ("world.conversations", 3): "52beb1ca2949d704",
    ("world.facts", 1): "4abea75c978fb785",
    ("world.pages", 3): "ef7d0222da1bc9e8",
    ("world.tasks", 3): "7af1108882e697f6",
}


def digest(folder: Path) -> str:
    """A hash of all contents: rows of tables and inflated WARC records, not the bytes that libraries pack them into."""
    found = hashlib.blake2b(digest_size=8)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = file.read_bytes()
        if file.suffix == ".parquet":
            data = repr(pq.read_table(file).to_pylist()).encode()
        elif file.suffix == ".gz":
            data = gzip.decompress(data)
        found.update(file.relative_to(folder).as_posix().encode() + b"\0" + data)
    return found.hexdigest()


def test_outputs_change_only_with_the_version(tmp_path: Path) -> None:
    stages: dict[str, tuple[Any, dict[str, Any]]] = {
        "world.facts": (facts, {}),
        "world.pages": (pages, {"text_bytes": 60_000, "pages_per_file": 30}),
        "world.conversations": (conversations, {"num_conversations": 200}),
        "world.tasks": (tasks, {}),
    }
    truth = Artifact(tmp_path / "world.facts", Manifest(kind="truth"))
    found: dict[tuple[str, int], str] = {}
    for name, (stage, settings) in stages.items():
        out = scratch_out(tmp_path / name, seed=7)
        stage.run(parse(stage.Settings, settings, "test"), {"truth": truth} if stage.READS else {}, out)
        found[name, stage.VERSION] = digest(out.path)
    assert found == GOLDEN

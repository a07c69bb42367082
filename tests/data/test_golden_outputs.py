"""What the data stages make of a fixed input. A change of a hash needs a new VERSION in that stage."""

import hashlib
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.settings import parse
from hornbook.data import dedup, extract, read
from hornbook.data import filter as filters

sys.path.insert(0, str(Path(__file__).parent))
import warcs

GOLDEN = {
    ("data.read", 2): "e1aa4ce38ac9650a",
    ("data.extract", 2): "3a2da930419ab885",
    ("data.filter", 1): "0c43aaecb6bbbe66",
    ("data.dedup", 1): "a00f61887aba13bc",
}


def digest(folder: Path) -> str:
    """A hash of every row (not of Parquet bytes, which change with its library)."""
    rows: list[Any] = []
    for file in sorted(folder.glob("*/*.parquet")):
        rows += [file.relative_to(folder).as_posix(), *pq.read_table(file).to_pylist()]
    rows.append((folder / "funnel.json").read_text())
    return hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest()


def test_outputs_change_only_with_the_version(tmp_path: Path) -> None:
    def out(name: str) -> Any:
        return scratch_out(tmp_path / name)

    def documents(name: str) -> Artifact:
        return Artifact(tmp_path / name, Manifest(kind="documents"))

    (tmp_path / "a.txt").write_text("One fox.<|endoftext|>Two hens.<|endoftext|>")
    settings: Any = parse(read.Settings, {"path": str(tmp_path / "a.txt"), "mode": "separator"}, "test")
    read.run(settings, {}, out("read"))
    records = [warcs.response(f"https://a.example/{i}", warcs.page(f"town number {i // 2}")) for i in range(12)]
    records.append(warcs.response("https://a.example/x", "call 415-555-0134 or a@b.org", mime="text/plain"))
    (tmp_path / "a.warc.gz").write_bytes(b"".join(warcs.members(records)))
    settings = parse(extract.Settings, {"path": str(tmp_path / "a.warc.gz"), "profile": "fast"}, "test")
    extract.run(settings, {}, out("extract"))
    settings = parse(filters.Settings, {"profile": "stories", "rules": ["language", "gopher_quality", "pii"]}, "test")
    filters.run(settings, {"documents": documents("extract")}, out("filter"))
    dedup.run(parse(dedup.Settings, {}, "test"), {"documents": (documents("filter"),)}, out("dedup"))
    stages: Any = {"data.read": read, "data.extract": extract, "data.filter": filters, "data.dedup": dedup}
    found = {(name, stage.VERSION): digest(tmp_path / name.split(".")[1]) for name, stage in stages.items()}
    assert found == GOLDEN

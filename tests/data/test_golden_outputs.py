"""What the data stages make of a fixed input. A change of a hash needs a new VERSION in that stage."""

import hashlib
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.settings import parse
from hornbook.data import decontaminate, dedup, extract, line_dedup, mix, read, substring_dedup
from hornbook.data import filter as filters

sys.path.insert(0, str(Path(__file__).parent))
import warcs

GOLDEN = {
    ("data.read", 3): "e1aa4ce38ac9650a",
    ("data.extract", 3): "3a2da930419ab885",
    ("data.filter", 3): "6ff9a2b31fb399dd",
    ("data.dedup", 2): "0f62f4a6a2dc1b84",
    ("data.line_dedup", 1): "be50535b4dba846b",
    ("data.substring_dedup", 1): "bf027c5e0f78227f",
    ("data.mix", 1): "87a59e581475679f",
    ("data.decontaminate", 1): "7a36f52ffbf8871e",
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
    settings = parse(line_dedup.Settings, {"min_pages": 2, "everywhere": "first", "everywhere_words": 5}, "test")
    line_dedup.run(settings, {"documents": documents("extract")}, out("line_dedup"))
    settings = parse(substring_dedup.Settings, {"min_tokens": 8}, "test")
    substring_dedup.run(settings, {"documents": documents("extract")}, out("substring_dedup"))
    several: Any = {"documents": (documents("read"), documents("extract"))}
    mix.run(parse(mix.Settings, {"alpha": 0.5, "total_bytes": 20_000}, "test"), several, out("mix"))
    (tmp_path / "exam.txt").write_text("a page about town number 3\n")
    looked: Any = parse(
        decontaminate.Settings,
        {"sets": [str(tmp_path / "exam.txt")], "min_words": 3, "ngram_words": 3, "span_words": 3},
        "test",
    )
    decontaminate.run(looked, {"documents": documents("extract")}, out("decontaminate"))
    stages: Any = {
        "data.read": read,
        "data.extract": extract,
        "data.filter": filters,
        "data.dedup": dedup,
        "data.line_dedup": line_dedup,
        "data.substring_dedup": substring_dedup,
        "data.mix": mix,
        "data.decontaminate": decontaminate,
    }
    found = {(name, stage.VERSION): digest(tmp_path / name.split(".")[1]) for name, stage in stages.items()}
    assert found == GOLDEN

from pathlib import Path

import pytest

from hornbook.core.errors import ArtifactError, DataError
from hornbook.data.files.sources import Piece, find_files, format_of, locate, plan_shards, ranges


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", ("text", "")),
        ("a.b.MD", ("text", "")),
        ("x.jsonl.gz", ("jsonl", "gzip")),
        ("pages.warc.zst", ("warc", "zstd")),
        ("CC.warc.wet.gz", ("warc", "gzip")),
        ("CC.warc.wat.gz", ("wat", "gzip")),
        ("x.parquet", ("parquet", "")),
        ("x.gz", ("", "gzip")),
        ("README", ("", "")),
    ],
)
def test_formats_by_name(name: str, expected: tuple[str, str]) -> None:
    assert format_of(Path(name)) == expected


def test_files_are_found_in_order_without_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.txt", "a.txt", ".git/x.txt", "b/1.jsonl", "c.png", "b/.hidden.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [f.relative for f in find_files(tmp_path, ("text", "jsonl"))] == ["a.txt", "b/1.jsonl", "b/2.txt"]
    assert [f.relative for f in find_files(tmp_path, ("text", "jsonl"), "b/*")] == ["b/1.jsonl", "b/2.txt"]
    assert find_files(tmp_path / "c.png", ("text",))[0].format == "text"  # a single file is taken at its word


def test_nothing_that_can_be_read_is_explained(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("x")
    with pytest.raises(DataError, match="found: html.*data.extract"):
        find_files(tmp_path, ("text", "jsonl", "parquet"))
    with pytest.raises(DataError, match="found: nothing"):
        find_files(tmp_path, ("text",), "*.nope")


def test_shards_are_cut_by_size_and_named_in_order() -> None:
    pieces = [(Piece(0, f"/d/{i}", str(i), "text", ""), size) for i, size in enumerate([4, 4, 4, 11, 1])]
    shards = plan_shards(pieces, 10)
    assert [(s.name, [p["relative"] for p in s.inputs]) for s in shards] == [
        ("00000", ["0", "1"]),
        ("00001", ["2"]),
        ("00002", ["3"]),
        ("00003", ["4"]),
    ]
    assert ranges(0, 10) == [(0, None)]


def test_local_paths_and_a_hub_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate(str(tmp_path), tmp_path) == tmp_path.resolve()
    with pytest.raises(ArtifactError, match="nothing is at"):
        locate(str(tmp_path / "absent"), tmp_path)
    import huggingface_hub

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(DataError, match="could not be fetched from the hub.*give a local path") as caught:
        locate("hub:someone/stories", tmp_path)
    assert caught.value.exit_code == 1


def test_a_data_set_of_the_hub_comes_without_its_read_me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.utils import filter_repo_objects

    names = ["README.md", "data/a.csv.gz", "data/b.parquet", "notes.md", "x.bin", ".gitattributes", "sub/README.txt"]
    seen: list[list[str]] = []

    def download(name: str, *, allow_patterns: list[str], ignore_patterns: list[str], **_: object) -> str:
        found = filter_repo_objects(names, allow_patterns=allow_patterns, ignore_patterns=ignore_patterns)
        seen.append([name, *map(str, found)])
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert locate("hub:someone/stories", tmp_path) == tmp_path
    locate("hub:someone/stories", tmp_path, "data/*.parquet")
    assert seen == [
        ["someone/stories", "data/a.csv.gz", "data/b.parquet", "notes.md"],
        ["someone/stories", "data/b.parquet"],
    ]

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest

from hornbook.core.errors import ArtifactError, DataError
from hornbook.data.files.sources import Piece, find_files, format_of, locate, plan_shards, ranges, readable


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


BINARIES = {
    "a.bz2": bz2.compress(b"a story"),
    "a.xz": lzma.compress(b"a story"),
    "a.pdf": b"%PDF-1.7\nsome text",
    "a.rtf": b"{\\rtf1 text}",
    "a": b"\x1f\x8b\x08 and so on",
    "a.png": b"\x89PNG\r\n\x1a\n",
    "a.bin": b"text and \0 more" * 30,
    "a.tar.gz": gzip.compress(b"a.txt" + bytes(95) + b"0000644"),
}


@pytest.mark.parametrize("name", BINARIES)
def test_a_single_file_that_is_no_text_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BINARIES[name])
    for formats in (("text", "jsonl"), ("html", "warc")):
        with pytest.raises(DataError, match="this is no text but a"):
            find_files(tmp_path / name, formats)


def test_a_single_file_of_text_is_taken_at_its_word(tmp_path: Path) -> None:
    for name, data in (
        ("a.log", b"text"),
        ("b.gz", gzip.compress(b"text")),
        ("c", "text".encode("utf-16")),
        ("d", b""),
    ):
        (tmp_path / name).write_bytes(data)
        assert [file.format for file in find_files(tmp_path / name, ("text",))] == ["text"]
    with pytest.raises(DataError, match=r"found: \.log .*Check the path"):
        find_files(tmp_path / "a.log", ("wat",))


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    for name in ("a.txt", "b.pdf", "c.pdf", "d.html", "README"):
        (tmp_path / name).write_text("x")
    said: list[str] = []
    assert len(find_files(tmp_path, ("text",), say=said.append)) == 1
    assert said == [f"{tmp_path.name}: passed over 2 .pdf, 1 html, 1 no suffix"]
    find_files(tmp_path, ("text",), "*.txt", said.append)
    assert len(said) == 1


def test_names_that_are_not_utf8_can_be_written(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff.txt")
    try:
        (tmp_path / name).write_text("x")
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    for root in (tmp_path, tmp_path / name):
        [file] = find_files(root, ("text",), "a*")
        assert file.relative == "a\\xff.txt" and file.path.read_text() == "x"
    assert readable("Bär") == "Bär"


def test_a_shard_has_a_bounded_number_of_files() -> None:
    pieces = ((Piece(0, str(i), str(i), "text", ""), 0) for i in range(4500))
    assert [len(shard.inputs) for shard in plan_shards(pieces, 10)] == [2000, 2000, 500]

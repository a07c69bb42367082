import gzip
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import extract
from hornbook.data.files.sources import Piece
from hornbook.data.ledger import read_funnel
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent))
import warcs


def do(folder: Path, workers: int = 1, pages: Artifact | None = None, **settings: Any) -> Any:
    out = scratch_out(folder, machine=Machine(workers=workers))
    inputs = {"pages": pages} if pages else {}
    extract.run(parse(extract.Settings, {"profile": "fast", **settings}, "test"), inputs, out)
    return out


def dropped(folder: Path) -> dict[str, tuple[str, str]]:
    tables = [pq.read_table(file) for file in sorted((folder / "dropped").iterdir())]
    return {r["url"].rsplit("/", 1)[-1]: (r["rule"], r["value"]) for table in tables for r in table.to_pylist()}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two WARC files with everything that can be wrong with a page."""
    folder = tmp_path_factory.mktemp("mixed")
    url = "https://village.example/"
    records = warcs.pages(6) + [
        warcs.response(url + "missing", "<p>not here</p>", status="404 Not Found"),
        warcs.response(url + "picture", b"\x89PNG", mime="image/png"),
        warcs.response(url + "large", "<p>" + "word " * 50_000),
        warcs.response(url + "deep", "<div>" * 3000 + "deep" + "</div>" * 3000),
        warcs.response(url + "tags", "<i>x</i>" * 4000),
        warcs.response(url + "nothing", "<html><body><script>1</script></body></html>"),
        warcs.response(url + "latin", warcs.page("Köln am Rhein, schöne Straße").encode("latin-1")),
        warcs.response(url + "plain", "Only text, no tags.", mime="text/plain; charset=utf-8"),
        warcs.record("conversion", url + "wet", b"Text of a WET file.", "text/plain"),
    ]
    (folder / "a.warc.gz").write_bytes(b"".join(warcs.members(records)))
    (folder / "b.warc.gz").write_bytes(b"".join(warcs.members(warcs.pages(3)))[:-40])
    (folder / "c.warc.zst").write_bytes(warcs.frames(warcs.pages(2)))
    return folder


def test_every_record_is_kept_or_dropped_under_a_named_rule(mixed: Path, tmp_path: Path) -> None:
    do(tmp_path, path=str(mixed), max_page_bytes=100_000, max_tags=3500)
    funnel = read_funnel(tmp_path)
    assert funnel["in"] == 6 + 9 + 3 + 2 == funnel["kept"] + sum(funnel["dropped"].values())
    assert funnel["dropped"] == {
        "extract.http_status": 1,
        "extract.no_text": 1,
        "extract.not_html": 1,
        "extract.too_deep": 1,
        "extract.too_large": 1,
        "extract.too_many_tags": 1,
        "extract.truncated": 1,
    }
    assert set(funnel["dropped"]) <= set(extract.RULES)
    assert funnel["edited"] == {"extract.transcoded": 1} and funnel["others"] == {"request": 11, "warcinfo": 3}
    found = dropped(tmp_path)
    assert found["missing"] == ("extract.http_status", "404") and found["picture"] == ("extract.not_html", "image/png")
    assert found["deep"] == ("extract.too_deep", "3000") and found["tags"] == ("extract.too_many_tags", "4000")
    documents = {document.url.rsplit("/", 1)[-1]: document for document in read_documents(tmp_path)}
    assert documents["plain"].text == "Only text, no tags." and documents["wet"].text == "Text of a WET file."
    assert "schöne Straße" in documents["latin"].text
    for i in range(6):
        assert all(p in documents[str(i)].text for p in warcs.body(f"village number {i}"))


def test_shard_size_and_workers_change_nothing(mixed: Path, tmp_path: Path) -> None:
    do(tmp_path / "one", path=str(mixed))
    do(tmp_path / "many", path=str(mixed), shard_bytes=900)
    do(tmp_path / "two", 2, path=str(mixed), shard_bytes=900)
    assert payload_hash(tmp_path / "many") == payload_hash(tmp_path / "two")
    assert len(list((tmp_path / "many/kept").iterdir())) > 4
    assert list(read_documents(tmp_path / "one")) == list(read_documents(tmp_path / "many"))


def test_a_folder_of_html_files_and_an_artifact_of_pages(tmp_path: Path) -> None:
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/a.html").write_text(warcs.page("Anton"))
    (tmp_path / "tree/sub/b.htm.gz").write_bytes(gzip.compress(warcs.page("Berta").encode()))
    out = do(tmp_path / "out", path=str(tmp_path / "tree"), licence="CC0")
    assert [document.meta["file"] for document in read_documents(tmp_path / "out")] == ["a.html", "sub/b.htm.gz"]
    assert out.licences == ["CC0"] and out.counts["docs"] == 2
    (tmp_path / "pages/warc").mkdir(parents=True)
    (tmp_path / "pages/warc/0.warc.gz").write_bytes(b"".join(warcs.members(warcs.pages(2))))
    pages = Artifact(tmp_path / "pages", Manifest(kind="pages"))
    out = do(tmp_path / "world", pages=pages)
    assert out.counts["docs"] == 2


def test_the_precise_profile(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(warcs.page("Anton"))
    do(tmp_path / "out", path=str(tmp_path / "a.html"), profile="precise")
    text = next(read_documents(tmp_path / "out")).text
    assert all(p in text for p in warcs.body("Anton")) and "Imprint" not in text


def test_wrong_inputs_are_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="either read.pages or path"):
        do(tmp_path / "out")
    (tmp_path / "a.warc.gz").write_bytes(b"no gzip at all")
    with pytest.raises(DataError, match="no document was kept out of 1.*extract.damaged 1"):
        do(tmp_path / "out", path=str(tmp_path / "a.warc.gz"))
    assert not (tmp_path / "out/funnel.json").exists()


def test_notes_of_the_run_hold_no_document(mixed: Path, tmp_path: Path) -> None:
    do(tmp_path, path=str(mixed))
    for note in (tmp_path / ".resume/extract").glob("*.done.json"):
        assert set(json.loads(note.read_text())["summary"]) >= {"in", "kept", "dropped", "edited"}


def test_wet_files_and_trees_of_compressed_html(tmp_path: Path) -> None:
    wet = warcs.record("conversion", "https://a.example/1", "Über Mühlen.\n".encode(), "text/plain")
    wet = wet.replace(b"\r\n\r\n", b"\r\nWARC-Identified-Content-Language: deu,eng\r\n\r\n", 1)
    records = [warcs.record("warcinfo", "", b"software: test\r\n", "application/warc-fields"), wet]
    (tmp_path / "CC-0.warc.wet.gz").write_bytes(b"".join(warcs.members(records)))
    do(tmp_path / "wet", path=str(tmp_path / "CC-0.warc.wet.gz"))
    [found] = read_documents(tmp_path / "wet")
    assert (found.text, found.url) == ("Über Mühlen.", "https://a.example/1")
    assert found.meta == {"file": "CC-0.warc.wet.gz", "crawl_languages": "deu,eng"}
    tree = tmp_path / "tree/deep/er"
    tree.mkdir(parents=True)
    page = warcs.page("the tree").encode()
    (tree / "a.html").write_bytes(page)
    (tree / "b.htm.gz").write_bytes(gzip.compress(page))
    (tree.parent / "c.xhtml.zst").write_bytes(zstandard.ZstdCompressor().compress(page))
    (tree / "d.html.gz").write_bytes(gzip.compress(page)[:-30])
    do(tmp_path / "html", path=str(tmp_path / "tree"), profile="fast")
    documents = list(read_documents(tmp_path / "html"))
    assert [d.meta["file"] for d in documents] == ["deep/c.xhtml.zst", "deep/er/a.html", "deep/er/b.htm.gz"]
    assert len({d.text for d in documents}) == 1 and "the tree 1" in documents[0].text
    assert read_funnel(tmp_path / "html")["dropped"] == {"extract.truncated": 1}


def extracted(folder: Path, records: list[bytes], **settings: Any) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """What these records become: texts by the ends of their addresses, dropped ones, the funnel."""
    (folder / "a.warc.gz").write_bytes(
        b"".join(warcs.members([*records, warcs.response("https://a.example/fine", warcs.page("Anton"))]))
    )
    do(folder / "out", path=str(folder / "a.warc.gz"), **settings)
    texts = {document.url.rsplit("/", 1)[-1]: document.text for document in read_documents(folder / "out")}
    return texts, dropped(folder / "out"), read_funnel(folder / "out")


def in_this_process(
    folder: Path, pieces: list[Piece], set_aside: dict[int, str] | None = None
) -> tuple[dict[str, Any], dict[str, str], dict[str, tuple[str, str]]]:
    """The funnel of one shard, texts of what was kept and what was dropped by the ends of the addresses."""
    settings = parse(extract.Settings, {"profile": "fast"}, "test")
    work = Workspace("0", folder, folder / "scratch", set_aside or {}, Limits(cpu_s=20.0))
    funnel = extract.extract_shard(work, list(map(asdict, pieces)), (settings, "s"))
    work.publish()
    return funnel, {d.url.rsplit("/", 1)[-1]: d.text for d in read_documents(folder)}, dropped(folder)


def test_limits_hold_in_every_encoding_and_for_tags_that_end_nothing(tmp_path: Path) -> None:
    url = "https://a.example/"
    texts, gone, funnel = extracted(
        tmp_path,
        [
            warcs.response(url + "deep16", ("<div>" * 1200 + "deep").encode("utf-16")),
            warcs.response(url + "deep32", ("<div>" * 1200 + "deep").encode("utf-32")),
            warcs.response(url + "tags16", ("<i>x</i>" * 3600).encode("utf-16")),
            warcs.response(url + "ends", "x</p>" * 3600),
            warcs.response(url + "good16", warcs.page("Berta").encode("utf-16")),
        ],
        max_tags=3500,
    )
    assert gone == {
        "deep16": ("extract.too_deep", "1200"),
        "deep32": ("extract.too_deep", "1200"),
        "tags16": ("extract.too_many_tags", "3600"),
        "ends": ("extract.too_many_tags", "3600"),
    }
    assert "About Berta" in texts["good16"] and funnel["edited"] == {"extract.transcoded": 4}


def test_what_goes_wrong_in_a_page_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        """What native code raises."""

    def to_text(html: str, *others: Any) -> str:
        if "Berta" in html:
            raise Panic("no memory")
        return "half \ud83d of a pair" if "Carla" in html else "text"

    monkeypatch.setattr(extract, "to_text", to_text)
    url = "https://a.example/"
    bad = "Größe, schöne Straße, für über Mühlen in Köln und Köpenick. ".encode() * 9
    records = [
        warcs.response(url + "panic", warcs.page("Berta")),
        warcs.response(url + "half", warcs.page("Carla")),
        warcs.response(url + "bytes", bad + b"\xff end", mime="text/plain"),
        warcs.response(url + "lines", "one\r\ntwo\r\n\r\nthree\r\n", mime="text/plain"),
    ]
    (tmp_path / "a.warc.gz").write_bytes(b"".join(warcs.members(records)))
    piece = Piece(0, str(tmp_path / "a.warc.gz"), "a.warc.gz", "warc", "gzip")
    funnel, texts, gone = in_this_process(tmp_path / "out", [piece])
    assert gone == {"panic": ("extract.error", "Panic: no memory")}
    assert texts["half"] == "half \ufffd of a pair" and texts["bytes"].endswith("\ufffd end")
    assert texts["lines"] == "one\ntwo\n\nthree"
    assert funnel["edited"] == {"extract.replaced": 1}


def test_a_page_that_ends_its_process_twice_is_set_aside(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.html").write_text(warcs.page(name))
    pieces = [Piece(0, str(tmp_path / f"{name}.html"), name, "html", "") for name in "abc"]
    funnel, texts, _ = in_this_process(tmp_path / "out", pieces, {0: "crash", 1: "timeout"})
    assert len(texts) == 1
    assert funnel["dropped"] == {"extract.crash": 1, "extract.timeout": 1} and funnel["kept"] == 1


def test_a_damaged_page_is_not_called_truncated(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(warcs.page("Anton").encode() * 50))
    data[-30] ^= 255
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/bad.html.gz").write_bytes(bytes(data))
    (tmp_path / "tree/good.html").write_text(warcs.page("Anton"))
    do(tmp_path / "out", path=str(tmp_path / "tree"))
    assert read_funnel(tmp_path / "out")["dropped"] == {"extract.damaged": 1}

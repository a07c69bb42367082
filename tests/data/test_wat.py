import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import read_documents
from hornbook.core.errors import DataError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import extract, wat
from hornbook.data.ledger import read_funnel

sys.path.insert(0, str(Path(__file__).parent))
import warcs

PAGE = "https://village.example/mill/index.html"
LINKS = [
    {"path": "IMG@/src", "url": "https://pictures.example/cat.png", "alt": "a cat"},
    {"path": "A@/href", "url": "../market#stalls", "text": "the market"},
    {"path": "A@/href", "url": "https://www.village.example/", "text": "home"},
    {"path": "A@/href", "url": "https://castle.example/tower", "text": "the  old\ntower", "rel": "nofollow"},
    {"path": "A@/href", "url": "https://castle.example/tower#top", "text": "again"},
    {"path": "A@/href", "url": "https://castle.example/gate", "title": "the gate"},
    {"path": "A@/href", "url": "//river.example/", "text": ""},
    {"path": "A@/href", "url": "mailto:miller@village.example"},
    {"path": "A@/href", "url": "https://[broken", "text": "x"},
]


def envelope(kind: str = "response", status: str = "200", mime: str = "text/html; charset=UTF-8", **html: Any) -> Any:
    header = {"WARC-Type": kind, "WARC-Target-URI": PAGE}
    answer = {"Response-Message": {"Status": status}, "Headers": {"content-type": mime}}
    payload = {"HTTP-Response-Metadata": answer | ({"HTML-Metadata": html} if html else {})}
    place = {"Filename": "CC-0.warc.gz", "Offset": "805", "Gzip-Metadata": {"Deflate-Length": "423"}}
    inside = {"WARC-Header-Metadata": header, "Payload-Metadata": payload if kind == "response" else {}}
    return {"Container": place, "Envelope": inside}


def page() -> Any:
    metas = [{"name": "viewport", "content": "x"}, {"name": "Description", "content": "All about\n the mill."}]
    return envelope(Head={"Title": " The  mill ", "Metas": metas}, Links=LINKS)


def file(folder: Path, *bodies: Any) -> Path:
    records = [warcs.record("warcinfo", "", b"software: test\r\n", "application/warc-fields")]
    for body in bodies:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        records.append(warcs.record("metadata", PAGE, data, "application/json"))
    path = folder / "CC-0.warc.wat.gz"
    path.write_bytes(b"".join(warcs.members(records)))
    return path


def do(folder: Path, inputs: Any = None, workers: int = 1, **settings: Any) -> Any:
    out = scratch_out(folder, machine=Machine(workers=workers))
    wat.run(parse(wat.Settings, settings, "test"), inputs or {}, out)
    return read_funnel(folder)


def test_a_page_with_its_title_its_links_and_its_place_in_the_crawl(tmp_path: Path) -> None:
    path = file(tmp_path, envelope("request"), page())
    funnel = do(tmp_path / "out", path=str(path))
    [found] = read_documents(tmp_path / "out")
    assert (found.text, found.url, found.source) == ("The mill\n\nAll about the mill.", PAGE, "CC-0")
    assert found.meta == {
        "file": "CC-0.warc.wat.gz",
        "mime": "text/html",
        "num_links": 5,
        "num_outlinks": 3,
        "hosts": {"castle.example": 2, "river.example": 1},
        "warc_file": "CC-0.warc.gz",
        "warc_offset": 805,
        "warc_length": 423,
    }
    assert funnel["others"] == {"request": 1, "warcinfo": 1} and (funnel["in"], funnel["kept"]) == (1, 1)


def test_links_to_other_hosts_as_documents(tmp_path: Path) -> None:
    lonely = envelope(Head={}, Links=LINKS[:3])
    funnel = do(tmp_path / "out", path=str(file(tmp_path, page(), lonely)), each="link")
    found = list(read_documents(tmp_path / "out"))
    assert [(d.url, d.text) for d in found] == [
        ("https://castle.example/tower", "the old tower"),
        ("https://castle.example/gate", "the gate"),
        ("https://river.example/", ""),
    ]
    assert {d.meta["linked_from"] for d in found} == {PAGE} and len({d.id for d in found}) == 3
    assert funnel["dropped"] == {"wat.no_links": 1}


def test_everything_else_is_dropped_under_a_rule(tmp_path: Path) -> None:
    bodies = [page(), envelope(status="404", Head={}), envelope(mime="application/pdf"), b"{not json", b"[1]", b"{}"]
    path = file(tmp_path, *bodies)
    data = path.read_bytes()
    last = warcs.members([warcs.record("metadata", PAGE, json.dumps(page()).encode(), "application/json")])[0]
    path.write_bytes(data + last[:-9])
    funnel = do(tmp_path / "out", path=str(tmp_path))
    rows = [r for f in (tmp_path / "out/dropped").iterdir() for r in pq.read_table(f).to_pylist()]
    assert [(r["rule"], r["value"]) for r in rows][:2] == [
        ("wat.http_status", "404"),
        ("wat.not_html", "application/pdf"),
    ]
    assert funnel["dropped"] == {"wat.http_status": 1, "wat.not_html": 1, "wat.not_json": 3, "wat.truncated": 1}
    assert funnel["in"] == funnel["kept"] + sum(funnel["dropped"].values()) == 7
    assert set(funnel["dropped"]) <= set(wat.RULES)


def test_halves_of_characters_and_odd_types_do_no_harm(tmp_path: Path) -> None:
    links = [{"path": "A@/href", "url": "https://a.example/\ud800", "text": "\udfff x"}, {"path": 5, "url": None}, "?"]
    odd = envelope(mime="text/html\ud800", Head={"Title": ["a", 1], "Metas": {"x": 1}, "Base": 7}, Links=links)
    odd["Container"]["Filename"] = "\ud800.warc.gz"
    path = file(tmp_path, odd, {"Envelope": 3}, {"Envelope": {"Payload-Metadata": []}})
    for each in ("page", "link"):
        funnel = do(tmp_path / each, path=str(path), each=each)
        assert funnel["kept"] == 1 and funnel["dropped"] == {"wat.not_json": 1}
        [found] = read_documents(tmp_path / each)
        (found.text + found.url + json.dumps(found.meta, ensure_ascii=False)).encode()


def test_shards_and_workers_change_nothing(tmp_path: Path) -> None:
    path = file(tmp_path, *[page() for _ in range(20)])
    do(tmp_path / "one", path=str(path), each="link")
    do(tmp_path / "many", path=str(path), each="link", shard_bytes=900, workers=2)
    assert len(list((tmp_path / "many/kept").iterdir())) > 2
    assert list(read_documents(tmp_path / "one")) == list(read_documents(tmp_path / "many"))


def test_pages_of_an_earlier_stage_and_the_wrong_stage(tmp_path: Path) -> None:
    (tmp_path / "warc").mkdir()
    file(tmp_path / "warc", page())
    pages = Artifact(tmp_path, Manifest(kind="pages"))
    assert do(tmp_path / "out", {"pages": pages})["kept"] == 1
    settings = parse(extract.Settings, {}, "test")
    with pytest.raises(DataError, match=r"found: wat.*wat files are read by the stage data\.wat"):
        extract.run(settings, {"pages": pages}, scratch_out(tmp_path / "wrong"))
    renamed = tmp_path / "x.warc.gz"
    renamed.write_bytes((tmp_path / "warc/CC-0.warc.wat.gz").read_bytes())
    settings = parse(extract.Settings, {"path": str(renamed)}, "test")
    with pytest.raises(DataError, match="records of other kinds: metadata 1, warcinfo 1"):
        extract.run(settings, {}, scratch_out(tmp_path / "renamed"))
    assert gzip.decompress(renamed.read_bytes()).count(b"WARC/1.0") == 2


def rows(folder: Path) -> list[tuple[str, str]]:
    return [
        (r["rule"], r["value"]) for f in sorted((folder / "dropped").iterdir()) for r in pq.read_table(f).to_pylist()
    ]


@pytest.mark.parametrize("each", ["page", "link"])
def test_a_page_whose_own_address_is_none(tmp_path: Path, each: str) -> None:
    odd = page()
    odd["Envelope"]["WARC-Header-Metadata"]["WARC-Target-URI"] = "http://[x]/"
    do(tmp_path / "out", path=str(file(tmp_path, odd, page())), each=each)
    urls = [d.meta["linked_from"] if each == "link" else d.url for d in read_documents(tmp_path / "out")]
    assert urls == ([PAGE] * 3 if each == "link" else ["http://[x]/", PAGE])


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://a.example/x/", "https://a.example/x/y"),
        ("https://a.example/\ud800/", "https://a.example/\ufffd/y"),
        ("https://[broken", "https://village.example/mill/y"),
        ({"href": "?"}, "https://village.example/mill/y"),
        (None, "https://village.example/mill/y"),
    ],
)
def test_a_base_changes_where_links_lead_and_a_broken_one_does_not(tmp_path: Path, base: Any, expected: str) -> None:
    links = [{"path": "A@/href", "url": "y"}, {"path": "A@/href", "url": "https://b.example/"}]
    found = wat.parse(json.dumps(envelope(Head={"Base": base}, Links=links)).encode(), PAGE)
    assert isinstance(found, wat.Described) and [url for url, _ in found.links] == [expected, "https://b.example/"]


def test_large_and_damaged_records_and_the_limits_of_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [{"path": "A@/href", "url": f"https://{i % 40}.example/{i}"} for i in range(90)]
    path = file(tmp_path, envelope(Head={}, Links=many), page())
    do(tmp_path / "page", path=str(path))
    first = next(read_documents(tmp_path / "page"))
    assert (first.meta["num_outlinks"], len(first.meta["hosts"]), wat.MAX_HOSTS) == (90, 20, 20)
    monkeypatch.setattr(wat, "MAX_LINKS", 5)
    do(tmp_path / "link", path=str(path), each="link")
    assert len(list(read_documents(tmp_path / "link"))) == 5 + 3
    damaged = bytearray(file(tmp_path, envelope(Head={}, Links=many), page(), page()).read_bytes())
    damaged[-60:-50] = b"\xff" * 10
    path.write_bytes(damaged)
    funnel = do(tmp_path / "flaws", path=str(path), max_record_bytes=3000)
    assert (funnel["kept"], funnel["dropped"]) == (1, {"wat.too_large": 1, "wat.damaged": 1})
    assert ("wat.too_large", str(len(json.dumps(envelope(Head={}, Links=many))))) in rows(tmp_path / "flaws")


def test_small_files_share_a_shard(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    data = file(tmp_path, page()).read_bytes()
    for number in range(9):
        (tmp_path / f"in/{number}.wat.gz").write_bytes(data)
    assert do(tmp_path / "out", path=str(tmp_path / "in"), shard_bytes=4 * len(data))["kept"] == 9
    assert len(list((tmp_path / "out/kept").iterdir())) == 3

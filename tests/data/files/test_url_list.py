import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.document import Document, to_table
from hornbook.core.errors import DataError
from hornbook.data.files.url_list import from_documents, read_list

URLS = ["https://a.example/1", "https://b.example/ö", "https://a.example/1"]


def test_every_format_gives_the_addresses_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"# mine\n{URLS[0]}\r\n\n  {URLS[1]} 2024-01-01\n{URLS[2]}")
    (tmp_path / "b.jsonl").write_text("".join(json.dumps({"link": url}) + "\n" for url in URLS))
    (tmp_path / "c.csv").write_text("id;link\n" + "".join(f"{i};{url}\n" for i, url in enumerate(URLS)))
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress("\n".join(URLS).encode()))
    pq.write_table(pa.table({"link": URLS, "id": [1, 2, 3]}), tmp_path / "e.parquet")
    for name in ("a.txt", "b.jsonl", "c.csv", "d.txt.gz", "e.parquet"):
        assert list(read_list(tmp_path / name, "", "link")) == [(url, "") for url in URLS], name
    assert len(list(read_list(tmp_path, "", "link"))) == 15
    assert len(list(read_list(tmp_path, "*.csv", "link"))) == 3


def test_what_is_no_address_comes_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text('{"url": "https://a.example/"}\n{"link": 1}\n{"url": 5}\nnot json\n[]\n')
    found = list(read_list(tmp_path / "b.jsonl", "", "url"))
    assert found[0] == ("https://a.example/", "")
    assert [why for _, why in found[1:]] == [
        'no field "url"',
        'no field "url"',
        "the line is not JSON",
        'no field "url"',
    ]
    (tmp_path / "c.csv").write_text("url,id\nhttps://a.example/,1\nhttps://a.example/\n,2\n")
    assert [why for _, why in read_list(tmp_path / "c.csv", "", "url")] == [
        "",
        "1 fields, the header has 2",
        'no field "url"',
    ]
    (tmp_path / "d.txt.gz").write_bytes(gzip.compress(b"https://a.example/\n" * 3)[:-9])
    assert list(read_list(tmp_path / "d.txt.gz", "", "url"))[-1][1].startswith("the list is damaged")
    with pytest.raises(DataError, match='no column "address"; the columns are url, id'):
        list(read_list(tmp_path / "c.csv", "", "address"))
    (tmp_path / "e.parquet").write_text("PAR1")
    with pytest.raises(DataError, match="not a Parquet file"):
        list(read_list(tmp_path / "e.parquet", "", "url"))


def test_addresses_of_documents(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    pq.write_table(to_table([Document("1", "x", URLS[0]), Document("2", "y")]), tmp_path / "kept/0.parquet")
    assert list(from_documents([tmp_path])) == [(URLS[0], ""), ("2", "the document has no address")]


def test_odd_lines_stay_whole(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("not an address\nHTTP://a.example/ note\n")
    assert [text for text, _ in read_list(tmp_path / "a.txt", "", "url")] == ["not an address", "HTTP://a.example/"]


def test_a_cut_list_does_not_give_its_cut_address(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(b"https://a.example/page/%d\n" % i for i in range(40_000)))
    (tmp_path / "a.txt.gz").write_bytes(data[: len(data) // 2])
    *whole, (cut, why) = read_list(tmp_path / "a.txt.gz", "", "url")
    assert len(whole) > 1000
    assert whole == [(f"https://a.example/page/{i}", "") for i in range(len(whole))]
    assert why.startswith("the list is damaged: a.txt.gz: ") and f"https://a.example/page/{len(whole)}".startswith(cut)


def test_a_line_without_end_is_no_address(tmp_path: Path) -> None:
    line = "https://a.example/" + "x" * (1 << 20)
    (tmp_path / "a.txt").write_text(f"{URLS[0]}\n{line}\n{URLS[1]}\n")
    found = list(read_list(tmp_path / "a.txt", "", "url"))
    assert found == [(URLS[0], ""), (line[:200], "the line is longer than 1048576 bytes"), (URLS[1], "")]


def test_broken_tables_cost_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("PAR1")
    (tmp_path / "b.csv").write_text('"url"x\nhttps://a.example/\n')
    (tmp_path / "c.txt").write_text(URLS[0])
    found = list(read_list(tmp_path, "", "url"))
    assert [text for text, _ in found] == ["a.parquet", '"url"x\n', URLS[0]]
    assert "not a Parquet file" in found[0][1] and "first row cannot be read" in found[1][1] and not found[2][1]

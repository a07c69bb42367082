import datetime
import decimal
import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from hornbook.core.artifact import payload_hash, scratch_out
from hornbook.core.document import Document, document_id, read_documents
from hornbook.core.errors import ArtifactError, DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import read
from hornbook.data.ledger import read_funnel

SEPARATOR = "<|endoftext|>"
STORIES = [f"Story {i}.\n\nA hen met a fox {i} times." for i in range(40)]


def do(folder: Path, workers: int = 1, **settings: Any) -> Any:
    out = scratch_out(folder, machine=Machine(workers=workers))
    read.run(parse(read.Settings, settings, "test"), {}, out)
    return out


def texts(folder: Path) -> list[str]:
    return [document.text for document in read_documents(folder)]


def dropped(folder: Path) -> list[tuple[str, str]]:
    tables = [pq.read_table(file) for file in sorted((folder / "dropped").iterdir())]
    return [(r["rule"], r["value"]) for table in tables for r in table.to_pylist()]


def test_text_by_separator(tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text(f"\n{SEPARATOR}\n".join(STORIES) + f"\n{SEPARATOR}\n")
    out = do(tmp_path / "out", path=str(tmp_path / "s.txt"), mode="separator", licence="CC0")
    assert texts(tmp_path / "out") == STORIES
    assert out.counts == {"docs": 40, "dropped": 0, "bytes": sum(map(len, STORIES))}
    assert out.licences == ["CC0"] and out.sources == ["s"]
    first = next(read_documents(tmp_path / "out"))
    assert first == Document(document_id("s/s.txt", 0), STORIES[0], "", "s", {"file": "s.txt"})


def test_whole_files_and_paragraphs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.md").write_bytes(b"\xef\xbb\xbf# A\r\n\r\nText.\r\n")
    (tmp_path / "in/b.txt").write_text("  \n")
    (tmp_path / "in/c.txt").write_bytes("Zwei Bären.".encode("utf-16"))
    do(tmp_path / "out", path=str(tmp_path / "in"))
    assert texts(tmp_path / "out") == ["# A\n\nText.", "Zwei Bären."]
    assert dropped(tmp_path / "out") == [("read.empty", "0")]
    book = "\n\n".join(f"Chapter {i}\n\n" + "Words and words. " * 20 for i in range(1, 9))
    (tmp_path / "book.txt").write_text(book)
    do(tmp_path / "book", path=str(tmp_path / "book.txt"), mode="paragraphs", max_chars=500)
    chunks = texts(tmp_path / "book")
    assert len(chunks) == 8 and all(chunk.startswith("Chapter") for chunk in chunks)


def lines() -> str:
    rows = [json.dumps({"body": story, "url": f"https://x.example/{i}", "by": "me"}) for i, story in enumerate(STORIES)]
    return "\n".join(rows)


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_json_lines_plain_and_compressed(tmp_path: Path, suffix: str) -> None:
    data = lines().encode()
    packed = {"": data, ".gz": gzip.compress(data), ".zst": zstandard.ZstdCompressor().compress(data)}[suffix]
    (tmp_path / f"s.jsonl{suffix}").write_bytes(packed)
    source = {"path": str(tmp_path / f"s.jsonl{suffix}"), "field": "body", "meta_fields": ["by"], "name": "mine"}
    do(tmp_path / "out", sources=[source])
    documents = list(read_documents(tmp_path / "out"))
    assert [document.text for document in documents] == STORIES
    assert documents[3].url == "https://x.example/3" and documents[3].source == "mine"
    assert documents[3].meta == {"by": "me", "file": f"s.jsonl{suffix}"}


def test_json_lines_that_cannot_be_used(tmp_path: Path) -> None:
    rows = ['{"text": "good"}', '{"text": ', "[1]", '{"text": 5}', '{"other": "x"}', '{"text": " "}', ""]
    rows += ['{"text": ["one", "two"]}', '{"text": "half \\ud83d pair \\ud83d\\ude00"}', "[" * 100_000]
    (tmp_path / "s.jsonl").write_text("\n".join(rows))
    do(tmp_path / "out", path=str(tmp_path / "s.jsonl"))
    assert texts(tmp_path / "out") == ["good", "one\n\ntwo", "half \ufffd pair 😀"]
    assert [rule for rule, _ in dropped(tmp_path / "out")] == [
        "read.not_json",
        "read.not_json",
        "read.no_field",
        "read.no_field",
        "read.empty",
        "read.not_json",
    ]
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == funnel["kept"] + sum(funnel["dropped"].values()) == 9
    assert set(funnel["dropped"]) <= set(read.RULES)


def test_parquet_by_row_groups(tmp_path: Path) -> None:
    table = pa.table({"text": STORIES, "license": ["CC BY"] * 20 + ["CC0"] * 20})
    pq.write_table(table, tmp_path / "s.parquet", row_group_size=7)
    source = {"path": str(tmp_path / "s.parquet"), "licence_field": "license"}
    out = do(tmp_path / "out", sources=[source], shard_bytes=300)
    assert len(list((tmp_path / "out/kept").iterdir())) > 2
    assert texts(tmp_path / "out") == STORIES
    assert [d.id for d in read_documents(tmp_path / "out")] == [document_id("s/s.parquet", i) for i in range(40)]
    assert out.licences == ["CC BY", "CC0"]
    with pytest.raises(DataError, match='no column "story"; the columns are text, license'):
        do(tmp_path / "other", path=str(tmp_path / "s.parquet"), field="story")


def test_small_shards_and_two_workers_change_no_document(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(lines())
    (tmp_path / "t.txt").write_text(SEPARATOR.join(STORIES))
    sources = [
        {"path": str(tmp_path / "s.jsonl"), "field": "body"},
        {"path": str(tmp_path / "t.txt"), "mode": "separator"},
    ]
    do(tmp_path / "one", sources=sources)
    do(tmp_path / "many", sources=sources, shard_bytes=400)
    do(tmp_path / "two", 2, sources=sources, shard_bytes=400)
    assert len(list((tmp_path / "many/kept").iterdir())) > 10
    assert list(read_documents(tmp_path / "one")) == list(read_documents(tmp_path / "many"))
    assert payload_hash(tmp_path / "many") == payload_hash(tmp_path / "two")


def test_a_moved_folder_keeps_its_ids(tmp_path: Path) -> None:
    for place in ("here", "there/deep"):
        (tmp_path / place / "texts").mkdir(parents=True)
        (tmp_path / place / "texts/a.txt").write_text("one")
        do(tmp_path / place / "out", path=str(tmp_path / place / "texts"))
    assert payload_hash(tmp_path / "here/out") == payload_hash(tmp_path / "there/deep/out")


def test_wrong_settings_and_inputs_are_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give either path or sources"):
        parse(read.Settings, {}, "test")
    with pytest.raises(SettingsError, match="separator is empty"):
        parse(read.Source, {"path": "x", "separator": ""}, "test")
    with pytest.raises(ArtifactError, match="nothing is at"):
        do(tmp_path / "out", path=str(tmp_path / "absent"))
    (tmp_path / "a.jsonl").write_text("one")
    two = [{"path": str(tmp_path / "a.jsonl")}] * 2
    with pytest.raises(SettingsError, match='two sources are called "a"'):
        do(tmp_path / "out", sources=two)
    (tmp_path / "bad.parquet").write_text("PAR1 nothing")
    with pytest.raises(DataError, match="not a Parquet file"):
        do(tmp_path / "out", path=str(tmp_path / "bad.parquet"))


def test_csv_with_all_that_can_be_wrong(tmp_path: Path) -> None:
    lines = ['"id";"story";"link"', *(f'{n};"{text}";http://a.b/{n}' for n, text in enumerate(STORIES))]
    data = ("\r\n".join(lines) + "\r\n").encode()
    bad = data + b"41;one too few\r\n42;;nothing\r\n"
    (tmp_path / "s.csv").write_bytes(b"\xef\xbb\xbf" + bad)
    source = {"path": str(tmp_path / "s.csv"), "field": "story", "url_field": "link", "meta_fields": ["id"]}
    do(tmp_path / "out", sources=[source])
    documents = list(read_documents(tmp_path / "out"))
    assert [document.text for document in documents] == STORIES
    assert documents[3] == Document(
        document_id("s/s.csv", 3), STORIES[3], "http://a.b/3", "s", {"file": "s.csv", "id": "3"}
    )
    found = [("read.not_csv", "2 fields, the header has 3"), ("read.empty", "0")]
    assert dropped(tmp_path / "out") == found
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(data)[:-40])
    do(tmp_path / "cut", path=str(tmp_path / "cut.csv.gz"), field="story")
    assert [rule for rule, _ in dropped(tmp_path / "cut")] == ["read.truncated"]
    assert texts(tmp_path / "cut") == STORIES[: len(texts(tmp_path / "cut"))] != []
    with pytest.raises(DataError, match='no column "text"; the columns are id, story, link'):
        do(tmp_path / "other", path=str(tmp_path / "s.csv"))


def test_csv_without_a_header_and_texts_of_several_columns(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text('1,A fox,"It ran, fast"\n2,A hen,\n3,only two\n4,,\n')
    path = str(tmp_path / "s.csv")
    do(tmp_path / "numbered", path=path, header=False, field="3")
    assert texts(tmp_path / "numbered") == ["It ran, fast"]
    assert dropped(tmp_path / "numbered") == [
        ("read.empty", "0"),
        ("read.not_csv", "2 fields, the first row has 3"),
        ("read.empty", "0"),
    ]
    names = {"header": False, "columns": ["id", "title", "body"]}
    source = {"path": path, "field": ["title", "body"], "meta_fields": ["id"], **names}
    do(tmp_path / "named", sources=[source])
    documents = list(read_documents(tmp_path / "named"))
    assert [(d.text, d.meta["id"]) for d in documents] == [("A fox\n\nIt ran, fast", "1"), ("A hen", "2")]
    assert documents[1].id == document_id("s/s.csv", 1)
    with pytest.raises(DataError, match='no column "text"; the columns are 1, A fox, It ran, fast.*header = false'):
        do(tmp_path / "out", path=path)
    with pytest.raises(DataError, match='no column "4"; the columns are 1, 2, 3'):
        do(tmp_path / "out", path=path, header=False, field="4")


def test_json_and_parquet_texts_of_several_fields(tmp_path: Path) -> None:
    rows = [{"q": "Why?", "a": "Because."}, {"q": "How?", "a": None}, {"q": None, "a": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name in ("x.parquet", "x.jsonl"):
        do(tmp_path / f"{name}.out", path=str(tmp_path / name), field=["q", "a"])
        assert texts(tmp_path / f"{name}.out") == ["Why?\n\nBecause.", "How?"]
        assert dropped(tmp_path / f"{name}.out") == [("read.no_field", "q, a")]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"columns": ["a"], "field": "a"}, "set header = false"),
        ({"columns": ["a", "a"], "header": False, "field": "a"}, "two columns have one name"),
        ({"columns": ["a", "b"], "header": False}, 'no column is called "text"; columns = a, b'),
        ({"field": []}, "no field is named"),
    ],
)
def test_names_of_columns_that_contradict_each_other(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        parse(read.Settings, {"path": "x.csv", **settings}, "test")
    with pytest.raises(SettingsError, match=sentence):
        parse(read.Settings, {"sources": [{"path": "x.csv", **settings}]}, "test")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_tables_and_lines_also_compressed_are_read_and_counted(tmp_path: Path, codec: str) -> None:
    rows = [{"text": f"Die Bärin {i} fraß süße Äpfel."} for i in range(9)]
    (tmp_path / "in").mkdir()
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(codec)
    table = ("text\n" + "".join(row["text"] + "\n" for row in rows)).encode(codec)
    (tmp_path / "in/a.jsonl").write_bytes(lines)
    (tmp_path / "in/b.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "in/c.csv").write_bytes(table)
    do(tmp_path / "out", path=str(tmp_path / "in"), shard_bytes=100)
    assert texts(tmp_path / "out") == [row["text"] for row in rows] * 3
    assert read_funnel(tmp_path / "out")["edited"] == {"read.transcoded": 27}


def test_repairs_of_csv_rows_are_counted(tmp_path: Path) -> None:
    rows = ["text"] + [f"Die Bärin {i} fraß zwölf süße Äpfel." for i in range(9)]
    (tmp_path / "a.csv").write_bytes("\n".join(rows).encode("cp1252"))
    do(tmp_path / "out", path=str(tmp_path / "a.csv"))
    assert texts(tmp_path / "out") == rows[1:] and read_funnel(tmp_path / "out")["edited"] == {"read.transcoded": 9}


def test_meta_fields_of_every_type_and_name(tmp_path: Path) -> None:
    when = datetime.datetime(2026, 1, 31, 9, 30)
    row = {"text": "A fox.", "position": 3, "file": "theirs", "when": when, "day": when.date(), "raw": b"\xc3\xa4"}
    row |= {"price": decimal.Decimal("1.50"), "nested": {"at": [when]}, "nothing": None}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "x.parquet")
    fields = [*row, "absent"]
    do(tmp_path / "out", sources=[{"path": str(tmp_path / "x.parquet"), "meta_fields": fields}])
    [found] = read_documents(tmp_path / "out")
    assert found.meta == {
        "text": "A fox.",
        "position": 3,
        "file": "theirs",
        "when": "2026-01-31 09:30:00",
        "day": "2026-01-31",
        "raw": "ä",
        "price": "1.50",
        "nested": {"at": ["2026-01-31 09:30:00"]},
        "nothing": None,
    }


def test_halves_of_characters_anywhere_in_a_record_do_no_harm(tmp_path: Path) -> None:
    half = '"\\ud800"'
    lines = [
        f"{{{half}: 1}}",
        f'{{"text": "A fox.", "by": {{{half}: [{half}]}}, "licence": {half}, "url": {half}}}',
    ]
    (tmp_path / "s.jsonl").write_text("\n".join(lines))
    source = {"path": str(tmp_path / "s.jsonl"), "meta_fields": ["by"], "licence_field": "licence"}
    out = do(tmp_path / "out", sources=[source])
    [found] = read_documents(tmp_path / "out")
    assert found.meta == {"by": {"\ufffd": ["\ufffd"]}, "file": "s.jsonl", "licence": "\ufffd"}
    assert found.url == "\ufffd" and out.licences == ["\ufffd"]
    assert dropped(tmp_path / "out") == [("read.no_field", "text")]


def test_a_broken_parquet_file_costs_itself(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        pq.write_table(pa.table({"text": STORIES}), tmp_path / f"in/{name}.parquet", use_dictionary=False)
    (tmp_path / "in/b.parquet").write_bytes((tmp_path / "in/b.parquet").read_bytes()[:-30])
    column = pq.read_metadata(tmp_path / "in/c.parquet").row_group(0).column(0)
    data = bytearray((tmp_path / "in/c.parquet").read_bytes())
    data[column.data_page_offset + 30 : column.data_page_offset + 90] = b"\xff" * 60
    (tmp_path / "in/c.parquet").write_bytes(data)
    do(tmp_path / "out", path=str(tmp_path / "in"))
    assert texts(tmp_path / "out") == STORIES
    (first, lost), (second, rest) = dropped(tmp_path / "out")
    assert first == second == "read.truncated" and lost.startswith("the whole file is lost: not a Parquet file")
    assert rest.startswith("the 40 rows left of row group 0 are lost")


def test_books_in_parquet_have_a_limit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["x" * 2000, "ä" * 501, "fine " * 20]}), tmp_path / "x.parquet")
    do(tmp_path / "out", path=str(tmp_path / "x.parquet"), max_record_bytes=1000)
    assert texts(tmp_path / "out") == [("fine " * 20).strip()]
    assert dropped(tmp_path / "out") == [("read.too_large", "1000")] * 2


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "txt"])
def test_all_lines_of_a_file_have_one_encoding_wherever_it_is_cut(tmp_path: Path, suffix: str) -> None:
    words = "příliš žluťoučký kůň úpěl ďábelské ódy byl jednou jeden král a měl tři dcery".split() * 20
    lines = {
        "jsonl": [json.dumps({"text": word}, ensure_ascii=False) for word in words],
        "csv": ["text", *words],
        "txt": ["", *words],
    }
    file = tmp_path / f"s.{suffix}"
    file.write_bytes("\n".join(lines[suffix]).encode("cp1250"))
    how = {"mode": "separator", "separator": "\n"} if suffix == "txt" else {}
    do(tmp_path / "one", path=str(file), **how)
    assert texts(tmp_path / "one") == words
    do(tmp_path / "many", path=str(file), shard_bytes=300, **how)
    assert list(read_documents(tmp_path / "one")) == list(read_documents(tmp_path / "many"))


def test_utf16_with_bad_characters_is_counted_as_replaced(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"Bär {i}"}, ensure_ascii=False) + "\n" for i in range(3))
    data = lines.encode("utf-16-le").replace("1".encode("utf-16-le"), b"\x00\xd8")
    (tmp_path / "s.jsonl").write_bytes(b"\xff\xfe" + data)
    table = "text\n" + "".join(f"Bär {i}\n" for i in range(3))
    (tmp_path / "s.csv").write_bytes(b"\xff\xfe" + table.encode("utf-16-le").replace(b"1\0", b"\x00\xd8"))
    for name in ("s.jsonl", "s.csv"):
        do(tmp_path / f"{name}.out", path=str(tmp_path / name))
        assert texts(tmp_path / f"{name}.out") == ["Bär 0", "Bär \ufffd", "Bär 2"]
        edited = read_funnel(tmp_path / f"{name}.out")["edited"]
        assert edited == {"read.replaced": 1, "read.transcoded": 2}


def test_a_cut_file_whose_last_record_is_too_long_anyway(tmp_path: Path) -> None:
    data = gzip.compress(b'{"text": "good"}\n{"text": "' + random.Random(2).randbytes(40_000).hex().encode())
    (tmp_path / "s.jsonl.gz").write_bytes(data[:-20])
    do(tmp_path / "out", path=str(tmp_path / "s.jsonl.gz"), max_record_bytes=5000)
    assert texts(tmp_path / "out") == ["good"]
    assert [rule for rule, _ in dropped(tmp_path / "out")] == ["read.truncated"]
    [row] = [r for f in (tmp_path / "out/dropped").iterdir() for r in pq.read_table(f).to_pylist()]
    assert row["text"] == ""


def test_tables_without_quotes_and_with_blank_or_broken_beginnings(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('\n1\t"Open\n2\t5" wide\n')
    do(tmp_path / "a", path=str(tmp_path / "a.tsv"), header=False, field="2", quotes=False)
    assert texts(tmp_path / "a") == ['"Open', '5" wide']
    (tmp_path / "in").mkdir()
    (tmp_path / "in/b.csv").write_text('"te"xt,n\none,1\ntwo,2\n')
    (tmp_path / "in/c.csv").write_text("\n \ntext\nfine\n")
    do(tmp_path / "b", path=str(tmp_path / "in"))
    assert texts(tmp_path / "b") == ["fine"]
    [(rule, value)] = dropped(tmp_path / "b")
    assert rule == "read.not_csv" and value.startswith("the first row cannot be read, so no other can")


def test_files_whose_names_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    try:
        (tmp_path / "in" / os.fsdecode(b"b\xe4r.txt")).write_text("A bear.")
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    do(tmp_path / "out", path=str(tmp_path / "in"))
    [found] = read_documents(tmp_path / "out")
    assert found.meta == {"file": "b\\xe4r.txt"} and found.id == document_id("in/b\\xe4r.txt", 0)

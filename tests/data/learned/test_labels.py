import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.document import Document
from hornbook.core.errors import DataError
from hornbook.data.learned import labels
from hornbook.data.learned.labels import Always, Example, Listed, Truth, bare_address, read_examples


def page(url: str, identity: str = "x") -> Document:
    return Document(identity, "", url)


def test_addresses_compare_without_what_does_not_matter() -> None:
    assert bare_address("http://user@WWW.a.org:80/B/#c") == "a.org:80/B"
    assert bare_address("a.org") == "a.org" and bare_address("") == "" and bare_address("http://[bad") == ""


def test_a_list_of_addresses_and_hosts(tmp_path: Path) -> None:
    file = tmp_path / "cited.txt"
    file.write_text("# cited\nhttps://a.org/good\nwiki.example   # a host\n\n")
    labeller = Listed(str(file))
    good = ["http://www.a.org/good/", "https://wiki.example/x", "https://en.wiki.example/y?z"]
    other = ["https://a.org/", "https://a.org/good?x=1", "https://notwiki.example/", "", "https://example/"]
    assert [labeller.label(page(url)) for url in good] == [1, 1, 1]
    assert [labeller.label(page(url)) for url in other] == [0] * 5
    assert Always(1).label(page("")) == 1


def test_a_list_with_a_byte_order_mark_and_one_that_is_changed_later(tmp_path: Path) -> None:
    file = tmp_path / "cited.txt"
    file.write_bytes(b"\xef\xbb\xbfa.example\nb.example\n")
    assert [Listed(str(file)).label(page(f"https://{host}.example/")) for host in "abc"] == [1, 1, 0]
    file.write_text("c.example\n")
    assert [Listed(str(file)).label(page(f"https://{host}.example/")) for host in "abc"] == [0, 0, 1]


def test_truth_by_id(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    for number in range(2):
        rows = [{"id": f"p{number}", "cited": bool(number), "kind": "spam"}]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"truth/{number}.parquet")
    labeller = Truth(str(tmp_path), "cited", ((True, 1), (False, 0)))
    assert [labeller.label(page("", name)) for name in ("p0", "p1", "p2")] == [0, 1, -1]
    with pytest.raises(DataError, match="without truth"):
        Truth(str(tmp_path / "no"), "cited", ()).label(page("", "p0"))


def test_every_form_of_examples(tmp_path: Path) -> None:
    rows = [{"text": "one, two", "label": 1}, {"text": "three", "label": 0}]
    wanted = [("one, two", "1"), ("three", "0")]
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)) + "\n\n")
    (tmp_path / "b.csv").write_text('text,label\n"one, two",1\nthree,0\n')
    (tmp_path / "c.tsv").write_text("text\tlabel\none, two\t1\nthree\t0\n")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    for name in ("a.jsonl.gz", "b.csv", "c.tsv", "d.parquet"):
        found = list(read_examples(tmp_path / name, "text", "label"))
        assert [(example.text, example.label) for example in found] == wanted, name
        assert [example.id for example in found] == [f"{name}@0", f"{name}@1"]
    everything = list(read_examples(tmp_path, "text", "label"))
    assert len(everything) == 8 and len({example.id for example in everything}) == 8


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name in ("code", "letter"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"a {name}")
    (tmp_path / "code" / "b.jsonl").write_text('{"text": "more code"}\n')
    assert list(read_examples(tmp_path, "text")) == [
        Example("a code", "code", "code/a.txt@0"),
        Example("more code", "code", "code/b.jsonl@0"),
        Example("a letter", "letter", "letter/a.txt@0"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.jsonl", '{"body": "x", "label": 1}', 'no field "text"; there are body, label'),
        ("a.jsonl", '{"text": "x"}', 'no field "label"'),
        ("a.jsonl", "nonsense", "not JSON"),
        ("a.jsonl", "[1]", "JSON list"),
        ("a.csv", 'text,label\n"open,1\n', "row 0 is broken"),
        ("a.csv", "text,label\none\n", "row 0 is broken"),
        ("a.parquet", "PAR1 is not all it takes PAR1", "not a Parquet file"),
        pytest.param("a.jsonl", "[" * 100_000, "not JSON", id="deep"),
        pytest.param("a.jsonl", '{"text": "' + "x" * 150_000 + '"}', "longer than 100,000 bytes", id="long"),
    ],
)
def test_bad_examples_get_a_sentence(
    tmp_path: Path, name: str, content: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MAX_RECORD_BYTES", 100_000)
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=found):
        list(read_examples(tmp_path / name, "text", "label"))

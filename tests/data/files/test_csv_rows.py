import csv
import io
import random

import pytest

from hornbook.data.files.csv_rows import CsvReader, Row


def read(data: bytes, max_bytes: int = 1000, step: int = 7) -> CsvReader:
    return CsvReader((data[at : at + step] for at in range(0, len(data), step)), max_bytes)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_python_writes_is_read_as_it_was(delimiter: str) -> None:
    draw = random.Random(3)
    pieces = ["a", '"', "\n", "\r\n", ",", ";", "\t", "|", " ", "ä", "鴨", "'"]
    rows = [["".join(draw.choices(pieces, k=draw.randint(1, 9))) for _ in range(3)] for _ in range(200)]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([["x", "y", "z"], *rows])
    reader = read(file.getvalue().encode())
    assert reader.columns == ["x", "y", "z"]
    assert [list(row.fields.values()) for row in reader] == rows


def test_a_bad_row_costs_itself() -> None:
    data = b'text,name\ngood,1\none\na,b,c\n"x"y,2\n\n"line\nend",3\nlast,4'
    rows = list(read(data))
    assert [row.fields.get("text", "") for row in rows] == ["good", "", "", "", "line\nend", "last"]
    assert [row.number for row in rows] == list(range(6))
    assert [row.found for row in rows[1:3]] == [f"{n} fields, the header has 2" for n in (1, 3)]
    assert rows[3].flaw == "not_csv" and "expected after" in rows[3].found and rows[3].text == '"x"y,2\n'


def test_long_rows_and_open_quotes_are_bounded() -> None:
    rows = list(read(b"text\n" + b"x" * 99 + b"\nfine\n", max_bytes=50))
    assert [(row.flaw, row.fields) for row in rows] == [("too_large", {}), ("", {"text": "fine"})]
    rows = list(read(b'text\n"never closed\n' + b"a line\n" * 20, max_bytes=50))
    assert rows[0].flaw == "too_large" and rows[0].text.startswith('"never closed\na line')
    assert rows[1:] == [Row(n, {"text": "a line"}, text="a line\n") for n in range(1, 1 + 20 - 6)]
    assert [row.flaw for row in read(b'text\n"open\nend\n')] == ["not_csv"]


def test_the_name_of_a_tsv_file_decides_about_its_delimiter() -> None:
    data = b"text, with commas, and more\tlabel\none, two\t1\n"
    assert [row.flaw for row in read(data)] == ["not_csv"]
    reader = CsvReader(iter([data]), 1000, "tsv")
    assert [row.fields for row in reader] == [{"text, with commas, and more": "one, two", "label": "1"}]


def test_nothing_is_in_an_empty_file() -> None:
    assert read(b"").columns == [] and list(read(b"")) == []
    assert list(read(b"text\n")) == []


@pytest.mark.parametrize("blank", [b"\n", b"\r\n\n  \r\n", b"\xef\xbb\xbf\n", b"\t\n"])
def test_blank_lines_before_the_first_row_cost_nothing(blank: bytes) -> None:
    reader = read(blank + b"text,name\ngood,1\n")
    assert reader.columns == ["text", "name"] and [row.fields["text"] for row in reader] == ["good"]
    reader = CsvReader(iter([blank + b"good,1\nfine,2"]), 1000, header=False)
    assert reader.columns == ["1", "2"] and [row.fields["1"] for row in reader] == ["good", "fine"]


@pytest.mark.parametrize("header", [True, False])
def test_a_first_row_that_cannot_be_read_is_said_once(header: bool) -> None:
    for data, flaw in ((b'"a"b,c\n1,2\n3,4\n', "not_csv"), (b"x" * 99 + b"\n1,2\n", "too_large")):
        reader = CsvReader(iter([data]), 50, header=header)
        [row] = reader
        assert reader.columns == [] and row.flaw == flaw and row.text.encode() in data
        assert row.found.startswith("the first row cannot be read, so no other can")
    named = CsvReader(iter([b'"a"b,c\n1,2\n']), 50, header=False, names=("x", "y"))
    assert [row.fields.get("x", row.flaw) for row in named] == ["not_csv", "1"]


def test_how_many_lines_an_open_quote_took() -> None:
    rows = list(read(b'text,n\n"open,1\nlost,2\n"third",3\nfine,4\n'))
    assert [row.flaw for row in rows] == ["not_csv", ""] and "(3 lines: is a quote not closed?)" in rows[0].found
    rows = list(read(b'text\n"never closed\n' + b"a line\n" * 20, max_bytes=50))
    assert rows[0].found == "too long (7 lines: is a quote not closed?)"
    assert [row.found for row in read(b"text\n" + b"x" * 99 + b"\n", max_bytes=50)] == [""]


def test_quotation_marks_may_be_characters_like_others() -> None:
    data = b'n\ttext\n1\t"Open the door\n2\t5" or 6" wide\n3\t"both"\n'
    reader = CsvReader(iter([data]), 1000, "tsv", quotes=False)
    assert [row.fields.get("text", row.found) for row in reader] == ['"Open the door', '5" or 6" wide', '"both"']


def test_the_encoding_of_the_file_is_that_of_its_lines() -> None:
    data = "text,n\nžluť,1\n".encode("cp1250")
    assert [row.fields["text"] for row in CsvReader(iter([data]), 1000, encoding="windows-1250")] == ["žluť"]
    assert CsvReader(iter(["žluť,n\n".encode("cp1250")]), 1000, encoding="windows-1250").columns == ["žluť", "n"]

from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest
from hornbook.core.document import Document, to_table
from hornbook.data.trace import find, follow, matching, with_value

A = Document("a", "The first text. It is long.", "https://www.x.example/one/")
B = Document("b", "The second text.", "http://y.example/two?q=1")
C = Document("c", "A third one (with brackets).", "")


def artifact(path: Path, kept: Sequence[Document], dropped: Sequence[tuple[Document, str, str]]) -> Artifact:
    for name in ("kept", "dropped"):
        (path / name).mkdir(parents=True)
    pq.write_table(to_table(kept), path / "kept/0.parquet", row_group_size=1)
    table = to_table([d for d, _, _ in dropped])
    for place, name in ((1, "rule"), (2, "value")):
        table = table.append_column(name, pyarrow.array([row[place] for row in dropped], pyarrow.large_string()))
    pq.write_table(table, path / "dropped/0.parquet")
    return Artifact(path, Manifest(kind="documents"))


@pytest.fixture
def run(tmp_path: Path) -> list[Artifact]:
    first = artifact(tmp_path / "01-text", [A, B, C], [])
    return [first, artifact(tmp_path / "02-clean", [A, C], [(B, "short", "3")])]


@pytest.mark.parametrize(
    ("words", "how", "ids"),
    [
        ("b", "id", ["b"]),
        ("https://www.x.example/one/", "address", ["a"]),
        ("x.example/one", "address", ["a"]),
        ("http://x.example/one", "address", ["a"]),
        ("y.example", "part of the address", ["b"]),
        ("SECOND text", "text", ["b"]),
        ("(with brackets)", "text", ["c"]),  # no pattern: brackets are brackets
        ("text", "text", ["a", "b"]),
        ("nowhere at all", "", []),
    ],
)
def test_by_id_address_or_words(run: list[Artifact], words: str, how: str, ids: list[str]) -> None:
    assert find(run, words) == (how, ids)


def test_fates_in_order(run: list[Artifact]) -> None:
    fates = follow(run, ["b", "a", "nobody"])
    assert [(f.artifact.path.name, f.rule, f.value) for f in fates["b"]] == [
        ("01-text", "", ""),
        ("02-clean", "short", "3"),
    ]
    assert [f.rule for f in fates["a"]] == ["", ""] and fates["a"][1].document == A
    assert fates["nobody"] == []


def test_the_same_address_twice_gives_both(tmp_path: Path) -> None:
    again = Document("d", "later", A.url)
    found = artifact(tmp_path / "x", [A], [(again, "dedup", "1")])
    assert find([found], A.url) == ("address", ["a", "d"])
    assert with_value(found, "url", A.url) == ["a", "d"] and with_value(found, "url", "x.example/one") == []


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str] | None]]:
    """The row groups that are read, with their columns, as they are read."""
    found: list[tuple[int, list[str] | None]] = []
    original = pq.ParquetFile.read_row_group

    def spy(self: pq.ParquetFile, group: int, columns: list[str] | None = None) -> pyarrow.Table:
        found.append((group, columns))
        return original(self, group, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    return found


def test_texts_are_read_only_where_something_is_found(
    run: list[Artifact], read: list[tuple[int, list[str] | None]]
) -> None:
    import pyarrow.compute as pc

    tables = list(matching(run[0].path / "kept", "id", lambda column: pc.equal(column, "b")))
    assert [t.num_rows for t in tables] == [1]
    assert read == [(0, ["id"]), (1, ["id"]), (1, None), (2, ["id"])]


def test_an_address_inside_an_address_is_not_the_address(tmp_path: Path) -> None:
    login = Document("login", "Sign in.", "https://y.example/login?next=https://x.example/one")
    found = artifact(tmp_path / "x", [A, login], [])
    assert find([found], "y.example/login?next=https://x.example/one") == ("address", ["login"])
    assert find([found], "HTTPS://www.x.example/one//") == ("address", ["a"])


def test_no_more_are_found_than_asked_for(tmp_path: Path) -> None:
    same = [Document(str(n), "One text for all.") for n in range(9)]
    found = artifact(tmp_path / "x", same[:6], [(document, "rule", "1") for document in same[6:]])
    assert find([found], "text", most=4) == ("text", ["0", "1", "2", "3"])
    assert find([found], "text", most=8)[1] == [str(n) for n in range(8)]
    assert with_value(found, "url", "", most=7) == [str(n) for n in range(7)]


def test_reading_stops_when_enough_are_found(run: list[Artifact], read: list[tuple[int, list[str] | None]]) -> None:
    assert find(run, "first text", most=1) == ("text", ["a"])
    assert [group for group, columns in read if columns == ["text"]] == [0]

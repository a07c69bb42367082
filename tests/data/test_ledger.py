from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import scratch_out
from hornbook.core.document import Document, from_table
from hornbook.core.errors import DataError
from hornbook.data import ledger as ledger_module
from hornbook.data.ledger import Ledger, conclude, merge, num_bytes, read_funnel
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace


def test_books_balance_and_rows_arrive(tmp_path: Path) -> None:
    work = Workspace("00007", tmp_path, tmp_path / "scratch", {}, Limits())
    ledger = Ledger(work)
    kept = [Document(str(i), f"text é {i}", "u", "s", {"a": i}) for i in range(2500)]
    for document in kept:
        ledger.keep(document, 20)
    ledger.drop(Document("x", "bad"), "rule.a", 0.1234567, 3)
    ledger.drop(Document("y", ""), "rule.b", 37, 0)
    ledger.edit({"rule.c": 2})
    summary = ledger.close()
    work.publish()
    size = sum(len(d.text.encode()) for d in kept)
    assert summary["in"] == 2502 and summary["kept"] == 2500 and summary["bytes_kept"] == size
    assert summary["bytes_in"] == 2500 * 20 + 3
    assert summary["dropped"] == {"rule.a": 1, "rule.b": 1} and summary["edited"] == {"rule.c": 2}
    file = pq.ParquetFile(tmp_path / "kept/00007.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [1024, 1024, 452]
    assert list(from_table(file.read())) == kept
    rows = pq.read_table(tmp_path / "dropped/00007.parquet").to_pylist()
    assert [(r["id"], r["rule"], r["value"]) for r in rows] == [("x", "rule.a", "0.123457"), ("y", "rule.b", "37")]


def test_an_empty_shard_is_still_a_file(tmp_path: Path) -> None:
    work = Workspace("0", tmp_path, tmp_path / "scratch", {}, Limits())
    assert Ledger(work).close()["in"] == 0
    work.publish()
    assert pq.read_table(tmp_path / "kept/0.parquet").schema.names == ["id", "text", "url", "source", "meta"]


def test_scores_get_columns_of_their_own(tmp_path: Path) -> None:
    work = Workspace("0", tmp_path, tmp_path / "scratch", {}, Limits())
    ledger = Ledger(work, scores=("quality",))
    ledger.keep(Document("a", "x", meta={"quality": 0.25}), 1)
    ledger.keep(Document("b", "y"), 1)
    ledger.drop(Document("c", "z", meta={"quality": 1}), "q.low", 1, 1)
    ledger.close()
    work.publish()
    assert pq.read_table(tmp_path / "kept/0.parquet").column("quality").to_pylist() == [0.25, None]
    dropped = pq.read_table(tmp_path / "dropped/0.parquet")
    assert dropped.column("quality").to_pylist() == [1.0] and dropped.schema.names[-2:] == ["rule", "value"]


def test_bytes_are_those_of_utf8() -> None:
    assert [num_bytes(text) for text in ("", "abc", "é☃🐻")] == [0, 3, 2 + 3 + 4]


def shard(**more: object) -> dict[str, object]:
    base = {"in": 1, "kept": 1, "edited": {}, "dropped": {}, "bytes_in": 5, "bytes_kept": 5, "others": {}}
    return base | more


def test_funnels_add_up_and_become_counts(tmp_path: Path) -> None:
    parts = [shard(dropped={"b": 1}, licences=["CC0"], **{"in": 2}), shard(dropped={"a": 2, "b": 1}, **{"in": 4})]
    assert merge(parts)["dropped"] == {"a": 2, "b": 2}
    out = scratch_out(tmp_path)
    for name in ("kept/0.parquet", "kept/9.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    conclude(out, parts, "here", ["0"])
    assert out.counts == {"docs": 2, "dropped": 4, "bytes": 10} and out.licences == ["CC0"]
    assert read_funnel(tmp_path)["in"] == 6 and not (tmp_path / "kept/9.parquet").exists()


def test_nothing_kept_is_an_error_that_says_why(tmp_path: Path) -> None:
    out = scratch_out(tmp_path)
    with pytest.raises(DataError, match=r"no document was kept out of 3 \(dropped by b 2, a 1\)"):
        conclude(out, [shard(kept=0, dropped={"a": 1, "b": 2}, **{"in": 3})], "here")
    with pytest.raises(DataError, match="nothing was found to read"):
        conclude(out, [], "here")


def test_row_groups_are_cut_by_bytes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "ROW_GROUP_BYTES", 10)
    work = Workspace("0", tmp_path, tmp_path / "scratch", {}, Limits())
    ledger = Ledger(work)
    for number, text in enumerate(["abcd", "éé", "xy", "z", "abcdefghijkl", "end"]):  # 4 + 4 + 2; 1 + 12; 3 bytes
        ledger.keep(Document(str(number), text), 1)
    ledger.close()
    work.publish()
    file = pq.ParquetFile(tmp_path / "kept/0.parquet")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [3, 2, 1]

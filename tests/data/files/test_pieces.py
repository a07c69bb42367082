import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.document import document_id
from hornbook.core.errors import DataError
from hornbook.core.settings import parse
from hornbook.data import read
from hornbook.data.files.pieces import Source, read_piece
from hornbook.data.files.sources import Piece, format_of
from hornbook.data.ledger import Ledger
from hornbook.shards.shard import Limits
from hornbook.shards.workspace import Workspace

WORDS = "příliš žluťoučký kůň úpěl ďábelské ódy byl jednou jeden král a měl tři dcery".split()


def do(file: Path, begin: int = 0, end: int | None = None, **settings: Any) -> tuple[list[Any], dict[str, Any]]:
    """The rows of one piece (id, text, rule) and its funnel."""
    root = file.parent / "out"
    source = parse(Source, {"path": str(file), **settings}, "test")
    with Workspace("0", root, root / "scratch", {}, Limits()) as work:
        ledger = Ledger(work)
        piece = Piece(0, str(file), file.name, *format_of(file), begin, end)
        read_piece(work, ledger, piece, source, "mine", 1000)
        funnel = ledger.close()
        work.publish()
    rows = [row for kind in ("kept", "dropped") for row in pq.read_table(root / kind / "0.parquet").to_pylist()]
    assert {row["rule"] for row in rows if "rule" in row} <= set(read.RULES)
    return rows, funnel


def test_a_part_of_a_file_is_read_as_in_the_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    lines = [json.dumps({"text": word}, ensure_ascii=False).encode("cp1250") + b"\n" for word in WORDS * 9]
    file.write_bytes(b"".join(lines))
    whole, funnel = do(file)
    assert [row["text"] for row in whole] == WORDS * 9 and funnel["in"] == len(whole)
    assert whole[1]["id"] == document_id("mine/a.jsonl", len(lines[0]))
    size = file.stat().st_size
    parts = [do(file, begin, begin + 100 if begin + 100 < size else None)[0] for begin in range(0, size, 100)]
    assert [row for part in parts for row in part] == whole


def test_a_line_of_utf8_in_a_file_of_another_encoding_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("\n".join(["text", *WORDS]).encode("cp1250") + "\nžluť".encode())
    rows, funnel = do(file)
    assert [row["text"] for row in rows] == [*WORDS, "žluť"]
    assert funnel["edited"] == {"read.transcoded": sum(not word.isascii() for word in WORDS)}


def test_every_kind_of_record_has_its_rule(tmp_path: Path) -> None:
    lines = ['{"text": "good"}', "[1]", '{"text": ""}', '{"story": "x"}', '{"text": "' + "x" * 2000 + '"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    rules = ["read.not_json", "read.empty", "read.no_field", "read.too_large"]
    assert [row.get("rule") for row in do(tmp_path / "a.jsonl")[0]] == [None, *rules]
    pq.write_table(pa.table({"text": ["good", "", None, "x" * 2000]}), tmp_path / "a.parquet")
    assert [row.get("rule") for row in do(tmp_path / "a.parquet")[0]] == [None, *rules[1:]]


def test_a_table_without_the_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("story\nx\n")
    with pytest.raises(DataError, match='no column "text"; the columns are story'):
        do(tmp_path / "a.csv")

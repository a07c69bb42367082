from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.errors import DataError
from hornbook.data.files.parquet_rows import columns_of, read_rows, row_group_ranges

ROWS = [{"text": f"story {i} of many", "n": i} for i in range(300)]


def write(path: Path, **options: Any) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), path, row_group_size=100, **options)
    return path


def test_rows_with_their_positions(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet")
    assert columns_of(path) == ["text", "n"]
    assert list(read_rows(path, ["text", "n"])) == list(enumerate(ROWS))
    assert list(read_rows(path, ["n"], 1, 2)) == [(i, {"n": i}) for i in range(100, 200)]
    assert row_group_ranges(path, 1) == [(0, 1), (1, 2), (2, 3)]
    assert row_group_ranges(path, 10**9) == [(0, 3)]


def test_a_damaged_page_costs_the_rest_of_its_row_group(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    column = pq.read_metadata(path).row_group(1).column(0)
    data = bytearray(path.read_bytes())
    middle = column.data_page_offset + column.total_compressed_size // 2
    data[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(data)
    found = list(read_rows(path, ["text", "n"]))
    lost = [(position, row) for position, row in found if isinstance(row, str)]
    assert len(lost) == 1 and lost[0][0] == 100
    assert str(lost[0][1]).startswith("the 100 rows left of row group 1 are lost: ")
    assert [row for _, row in found if not isinstance(row, str)] == ROWS[:100] + ROWS[200:]
    assert [position for position, _ in read_rows(path, ["n"], 2)] == list(range(200, 300))


def test_text_that_is_none_costs_the_rest_of_its_row_group(tmp_path: Path) -> None:
    texts = [row["text"].encode() for row in ROWS]
    texts[170] = b"\xff\xfe"
    column = pa.array(texts, pa.binary()).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet", row_group_size=100)
    found = list(read_rows(tmp_path / "a.parquet", ["text"]))
    [(position, sentence)] = [(position, row) for position, row in found if isinstance(row, str)]
    assert 100 <= position <= 170 and sentence.startswith(f"the {200 - position} rows left of row group 1 are lost")
    assert len(found) == position + 1 + 100 and found[-1] == (299, {"text": ROWS[299]["text"]})


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1 nothing", b"version https://git-lfs.github.com/spec/v1\n" * 3])
def test_what_is_no_parquet_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    for act in (columns_of, lambda path: row_group_ranges(path, 10)):
        with pytest.raises(DataError, match="not a Parquet file"):
            act(tmp_path / "a.parquet")

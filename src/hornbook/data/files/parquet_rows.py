"""Rows of Parquet files, with what is damaged reported: a damaged page costs the rest of its row group."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hornbook.core.errors import DataError

BATCH_ROWS = 64
"""Few, because one row may be a book."""


def columns_of(path: Path) -> list[str]:
    """The names of the columns. Raises DataError when it is no Parquet file, or its end is damaged."""
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_schema(path).names
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"not a Parquet file: {error}", where=str(path), do="Fetch it again") from None


def row_group_ranges(path: Path, shard_bytes: int) -> list[tuple[int, int | None]]:
    """Ranges of row groups of about `shard_bytes` each. Raises DataError as `columns_of` does."""
    import pyarrow.parquet

    columns_of(path)
    metadata = pyarrow.parquet.read_metadata(path)
    borders, size_bytes = [0], 0
    for group in range(metadata.num_row_groups):
        size_bytes += metadata.row_group(group).total_byte_size
        if size_bytes >= shard_bytes and group + 1 < metadata.num_row_groups:
            borders.append(group + 1)
            size_bytes = 0
    return list(zip(borders, [*borders[1:], metadata.num_row_groups], strict=True))


def read_rows(
    path: Path, columns: list[str], begin: int = 0, end: int | None = None
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Position and fields of every row in the row groups [begin, end); where rows are lost, a sentence for fields."""
    import pyarrow
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        position = 0
        for group in range(file.num_row_groups if end is None else end):
            next_position = position + file.metadata.row_group(group).num_rows
            try:
                batches = file.iter_batches(BATCH_ROWS, [group], columns) if group >= begin else ()
                for batch in batches:
                    for row in batch.to_pylist():
                        yield position, row
                        position += 1
            except (pyarrow.ArrowException, OSError, ValueError) as error:
                found = " ".join(str(error).split())[:200]
                yield position, f"the {next_position - position} rows left of row group {group} are lost: {found}"
            position = next_position

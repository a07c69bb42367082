import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.document import Document, document_id, from_table, read_documents, to_table
from hornbook.core.errors import ArtifactError

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
documents = st.builds(
    Document, id=text, text=text, url=text, source=text, meta=st.dictionaries(text, st.integers() | text, max_size=3)
)


@given(st.lists(documents, max_size=6))
def test_documents_survive_arrow(items):
    assert list(from_table(to_table(items))) == items


def test_ids_depend_on_source_and_position_alone():
    assert document_id("a.warc", 1) == document_id("a.warc", 1)
    assert len({document_id(s, p) for s in ("a", "a1", "b") for p in range(30)}) == 90
    assert len(document_id("a", 0)) == 32


def test_reading_goes_over_all_shards_in_order(tmp_path):
    (tmp_path / "kept").mkdir()
    items = [Document(str(i), f"text {i}") for i in range(5)]
    pyarrow.parquet.write_table(to_table(items[3:]), tmp_path / "kept" / "00001.parquet")
    pyarrow.parquet.write_table(to_table(items[:3]), tmp_path / "kept" / "00000.parquet")
    assert list(read_documents(tmp_path, batch_docs=2)) == items


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="no documents"):
        list(read_documents(tmp_path))

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.core.document import Document, to_table
from hornbook.data.copies.shingles import CHUNK_CHARS, shingles
from hornbook.data.copies.signatures import band_keys, chunks, rank


def test_what_a_document_is_worth() -> None:
    document = Document("a", "four", meta={"date": "2024-05-01", "quality": 0.25, "year": 1999, "bad": "x"})
    assert rank(document, "longest", "") == 4 and rank(document, "first", "") == 0
    assert rank(document, "highest", "quality") == 0.25 and rank(document, "newest", "year") == 1999
    assert rank(document, "newest", "date") == 1_714_521_600
    assert rank(document, "newest", "nothing") == rank(document, "highest", "bad") == -math.inf
    assert rank(Document("a", "", meta={"quality": math.nan}), "highest", "quality") == -math.inf


def test_later_dates_are_worth_more() -> None:
    dates = ["1999", "2023-12-31", "2024-01-01", "2024-01-01T00:00:01Z", "Mon, 01 Jan 2024 00:00:02 GMT"]
    ranks = [rank(Document("a", "", meta={"date": date}), "newest", "date") for date in dates]
    assert ranks == sorted(ranks) and len(set(ranks)) == len(ranks)


DATE = st.sampled_from("1 99 99999999999 Jan , 00:00:00 00:00 +9999999999999999999 - GMT Mon, é T Z 2024-01-01".split())


@examples(max_examples=300, deadline=None)
@given(st.lists(DATE, max_size=7).map(" ".join) | st.text(max_size=30))
@example("1 Jan 99999999999 00:00:00 GMT")
@example("1 Jan 2024 00:00:00 +9999999999999999999")
@example("Mon, 1 Jan , 00:00:00 +0000")
def test_whatever_stands_in_a_date_is_worth_something(text: str) -> None:
    document = Document("a", "", meta={"date": text, "quality": text})
    assert not math.isnan(rank(document, "newest", "date")) and not math.isnan(rank(document, "highest", "quality"))


def test_a_number_too_large_for_a_float_is_worth_least() -> None:
    assert rank(Document("a", "", meta={"quality": 10**400}), "highest", "quality") == -math.inf


def test_chunks_are_every_document_once_in_order(tmp_path: Path) -> None:
    texts = ["x" * size for size in (10, CHUNK_CHARS, 5, CHUNK_CHARS // 2, CHUNK_CHARS // 2, 7)]
    pq.write_table(to_table([Document(str(n), text) for n, text in enumerate(texts)]), tmp_path / "a.parquet")
    found = list(chunks(tmp_path / "a.parquet", ["id", "text", "nothing"]))
    assert [[d.id for d in chunk] for chunk in found] == [["0", "1"], ["2", "3", "4"], ["5"]]
    assert [d.text for chunk in found for d in chunk] == texts


def test_bands_agree_as_often_as_the_curve_says() -> None:
    """Two texts of similarity 1/2 share a number with probability 1/2, and a band of two with 1/4."""
    words = [f"w{n}" for n in range(300)]
    pairs = [(" ".join(words[:200]), " ".join(words[100:]))]
    hashes, offsets = shingles([text for pair in pairs for text in pair], 1)
    keys = band_keys(hashes, offsets, ((2000, 1), (1000, 2)))
    true = 100 / 300
    assert np.mean(keys[0, :2000] == keys[1, :2000]) == pytest.approx(true, abs=0.04)
    assert np.mean(keys[0, 2000:] == keys[1, 2000:]) == pytest.approx(true**2, abs=0.04)
    assert band_keys(hashes[:0], np.zeros(1, np.int64), ((2, 2),)).shape == (0, 2)
    assert np.array_equal(keys[:, :2000], band_keys(hashes, offsets, ((2000, 1),)))

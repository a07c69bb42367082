from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.insight.profile_sample import growth, near_duplicates

TEXT = "Once upon a time a small fox lived under a tall tree beside the quiet river and counted all the stars. "


def test_near_copies_are_counted_once_each() -> None:
    texts = [TEXT * 3, TEXT * 3 + "The end.", "something else entirely that nobody has written before today", ""]
    assert near_duplicates(texts) == 1
    assert near_duplicates([TEXT] * 5) == 4 and near_duplicates([]) == 0 and near_duplicates(["", ""]) == 0


@given(st.lists(st.text("ab c", max_size=20), max_size=10))
def test_growth_ends_with_all_words(texts: list[str]) -> None:
    words = " ".join(texts).split()
    found = growth(texts)
    if not words:
        assert found == []
    else:
        assert found[-1] == (len(words), len(set(words)))
        assert all(a[0] < b[0] and a[1] <= b[1] for a, b in zip(found, found[1:], strict=False))


def test_growth_by_hand() -> None:
    assert growth(["a b a c"]) == [(1, 1), (2, 2), (3, 2), (4, 3)]

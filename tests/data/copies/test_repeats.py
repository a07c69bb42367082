import re
import time

import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.copies.repeats import anchors, covered, tokens, window_keys, window_starts, windows_with, without


def words_of(text: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9_\u0080-\U0010ffff]+|[^\s\x00-\x1f\x7f]", text)


TEXTS = st.lists(st.text(alphabet="aB1_ .,\n\té日“", max_size=25), max_size=5)


@examples(max_examples=100, deadline=None)
@given(TEXTS)
def test_tokens_are_words_and_marks(texts: list[str]) -> None:
    found = tokens(texts, "words")
    assert len(found.offsets) == len(texts) + 1 and found.offsets[-1] == len(found.hashes)
    seen: dict[int, str] = {}
    for number, text in enumerate(texts):
        part = slice(found.offsets[number], found.offsets[number + 1])
        data = text.encode()
        spans = zip(found.begins[part].tolist(), found.ends[part].tolist(), strict=True)
        words = [data[a:b].decode() for a, b in spans]
        assert words == words_of(text)
        for word, value in zip(words, found.hashes[part].tolist(), strict=True):
            assert seen.setdefault(value, word) == word


def test_bytes_are_tokens_too() -> None:
    found = tokens(["aé", "", "b"], "bytes")
    assert found.offsets.tolist() == [0, 3, 3, 4] and found.begins.tolist() == [0, 1, 2, 0]
    assert len(set(found.hashes.tolist())) == 4


def test_windows_begin_inside_one_text() -> None:
    assert np.flatnonzero(window_starts(np.array([0, 3, 3, 5, 9]), 3)).tolist() == [0, 5, 6]


@examples(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet="ab", max_size=30).map(" ".join), max_size=4), st.integers(2, 12))
def test_equal_windows_share_an_anchor(texts: list[str], length: int) -> None:
    """Every window has an anchor, and equal windows have equal ones at equal places: what finds every repeat."""
    found = tokens(texts, "words")
    positions, hashes = anchors(found, length)
    places = dict(zip(positions.tolist(), hashes.tolist(), strict=True))
    windows = np.flatnonzero(window_starts(found.offsets, length))
    inside: dict[int, set[tuple[int, int]]] = {}
    for window, key in zip(windows.tolist(), window_keys(found, windows, length)[:, 0].tolist(), strict=True):
        own = range(window, window + length - max(1, length // 2) + 1)
        least = min((places[p] for p in own if p in places), default=None)
        assert least is not None
        chosen = {(p - window, places[p]) for p in own if places.get(p) == least}
        assert inside.setdefault(key, chosen) == chosen
    assert windows_with(found, positions, length).tolist() == windows.tolist()


def test_windows_around_some_anchors() -> None:
    found = tokens([" ".join(map(str, range(20)))], "words")
    assert windows_with(found, np.array([10]), 6).tolist() == [7, 8, 9, 10]  # stretches of 3 in windows of 6
    assert windows_with(found, np.array([0, 19]), 6).tolist() == [0]
    assert covered(np.array([], np.int64), 5) == []
    assert covered(np.array([0, 5, 11]), 5) == [(0, 10), (11, 16)]


def test_what_is_left_is_joined_by_one_space_or_line_end() -> None:
    text = "One fox.\n\nTwo hens ran."
    assert without(text, [(10, 13)]) == "One fox.\nhens ran."
    assert without(text, [(14, 18)]) == "One fox.\n\nTwo ran."
    assert without(text, [(0, 8)]) == "Two hens ran." and without(text, [(10, 23)]) == "One fox."
    assert without("abcdef", [(2, 4)]) == "abef"
    assert without("aéb", [(2, 4)]) == "aé"  # begins inside a character: that character stays whole
    assert without(text, []) == text
    assert without("one xx yy two", [(4, 6), (7, 9)]) == "one two" and without("a\n x \ny", [(3, 4)]) == "a\ny"
    assert without("\n\nxx\n", [(2, 4)]) == "" == without("xx", [(0, 2)])
    assert without("axx yyb", [(1, 3), (4, 6)]) == "a b"  # white space between two cuts parts what is left


def test_many_cuts_take_time_by_the_length_of_the_text() -> None:
    spans = [(100 * n + 50, 100 * n + 60) for n in range(20_000)]
    began_s = time.process_time()
    assert len(without("abcdefghi " * 200_000, spans)) == 1_800_000 - 1
    assert time.process_time() - began_s < 1

import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.copies import shingles as module
from hornbook.data.copies.shingles import in_chunks, jaccard, normalise, shingles


def sets(texts: list[str], words: int = 5) -> list[set[int]]:
    hashes, offsets = shingles(texts, words)
    assert len(offsets) == len(texts) + 1 and offsets[-1] == len(hashes)
    return [set(hashes[a:b].tolist()) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


def by_hand(text: str, words: int) -> set[tuple[str, ...]]:
    import re

    found = re.findall(r"[a-z0-9\u0080-\U0010ffff]+", normalise(text))
    if not found:
        return set()
    return {tuple(found[i : i + words]) for i in range(max(1, len(found) - words + 1))}


def test_case_and_punctuation_do_not_count() -> None:
    a, b, c = sets(["The fox, the hen and the mill.", "the FOX the hen “and” — the mill", "the fox the hen and a mill"])
    assert a == b and a != c and len(a) == 3


def test_short_and_empty_texts() -> None:
    assert [len(s) for s in sets(["", " .,;! ", "one", "one two", "one two three four five", "a b c d e f"])] == [
        0,
        0,
        1,
        1,
        1,
        2,
    ]
    assert sets(["one two"])[0] == sets(["x y z", "one two"])[1]
    assert shingles([], 5)[1].tolist() == [0]


@examples(max_examples=80, deadline=None)
@given(st.lists(st.text(alphabet="ab c.É\n“”日", max_size=40), max_size=6), st.integers(1, 6))
def test_the_same_equalities_as_by_hand(texts: list[str], words: int) -> None:
    found, expected = sets(texts, words), [by_hand(text, words) for text in texts]
    assert [len(s) for s in found] == [len(s) for s in expected]
    for i in range(len(texts)):
        for j in range(i):
            assert len(found[i] & found[j]) == len(expected[i] & expected[j])


def test_a_text_has_the_same_shingles_alone_and_among_others() -> None:
    generator = random.Random(3)
    texts = [
        " ".join(generator.choices(["fox", "hén", "mill", "a", "1984"], k=generator.randrange(30))) for _ in range(50)
    ]
    assert sets(texts) == [sets([text])[0] for text in texts]


def test_chunks_end_by_characters_and_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_CHARS", 5)
    monkeypatch.setattr(module, "CHUNK_TEXTS", 3)
    assert list(in_chunks(["aaaaaa", "b", "cccc", "", "", "", "d"], str)) == [
        ["aaaaaa"],
        ["b", "cccc"],
        [""] * 3,
        ["d"],
    ]
    assert list(in_chunks([], str)) == []


def test_the_same_numbers_in_every_process() -> None:
    call = "shingles(['The quick brown fox jumps'], 5)"
    code = f"from hornbook.data.copies.shingles import shingles; print({call}[0].tolist())"
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert answers == {f"{shingles(['The quick brown fox jumps'], 5)[0].tolist()}\n"}


def test_jaccard() -> None:
    a, b = np.array([1, 2, 3, 4], np.uint64), np.array([3, 4, 5], np.uint64)
    assert jaccard(a, b) == pytest.approx(2 / 5)
    assert jaccard(a, a) == 1.0 and jaccard(a[:0], a[:0]) == 0.0 and jaccard(a, a[:0]) == 0.0

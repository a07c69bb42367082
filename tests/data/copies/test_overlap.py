"""Exact common spans against brute force, and words under changes of case, punctuation and form."""

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hornbook.data.copies import overlap
from hornbook.data.copies.overlap import (
    Index,
    build_index,
    common_spans,
    different_grams,
    grams_in,
    load_index,
    plain_words,
    word_places,
)
from hornbook.data.copies.shingles import words_of

Span = tuple[int, int, int, int, int]


def index_of(texts: list[str], seed_words: int = 3, gram_words: int = 5, max_items: int = 100) -> Index:
    owners = [[n] for n in range(len(texts))]
    return build_index(texts, owners, seed_words=seed_words, gram_words=gram_words, max_items=max_items)


def brute(documents: list[str], texts: list[str], least: int) -> set[Span]:
    """Every run of equal words that cannot be made longer at either end."""
    found: set[Span] = set()
    for d, document in enumerate(documents):
        for t, text in enumerate(texts):
            a, b = plain_words(document), plain_words(text)
            for i in range(len(a)):
                for j in range(len(b)):
                    if i and j and a[i - 1] == b[j - 1]:
                        continue
                    n = 0
                    while i + n < len(a) and j + n < len(b) and a[i + n] == b[j + n]:
                        n += 1
                    if n >= least:
                        found.add((d, t, i, j, n))
    return found


few_words = st.lists(st.sampled_from(["a", "b", "c", "The", "the,"]), max_size=25).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(few_words, min_size=1, max_size=4),
    st.lists(few_words, min_size=1, max_size=4, unique_by=lambda t: tuple(plain_words(t))),
)
def test_spans_are_those_of_brute_force(documents: list[str], texts: list[str]) -> None:
    """With five words and long texts runs overlap, repeat and meet the ends of texts all the time."""
    texts = [text for text in texts if len(plain_words(text)) >= 3] or ["a b c"]
    spans = common_spans(index_of(texts), documents)
    assert {tuple(row) for row in spans.tolist()} == brute(documents, texts, 3)
    assert len(spans) == len({tuple(row) for row in spans.tolist()})


def good_seeds(texts: list[str], max_items: int) -> set[tuple[str, ...]]:
    """Runs of three words that at most so many texts have."""
    words = [plain_words(text) for text in texts]
    held = [{tuple(text[i : i + 3]) for i in range(len(text) - 2)} for text in words]
    return {seed for one in held for seed in one if sum(seed in other for other in held) <= max_items}


@settings(max_examples=120, deadline=None)
@given(
    st.lists(few_words, min_size=1, max_size=3),
    st.lists(few_words, min_size=3, max_size=5, unique_by=lambda t: tuple(plain_words(t))),
)
@example(["c c c a b"], ["c c c a b", "c c c b a", "c c c b b"])  # a template before the first seed of a run
@example(["a b c the"], ["a b c", "b c the", "c c c"])  # the last seed of one text is none before the next one's
def test_spans_with_templates_are_those_of_brute_force(documents: list[str], texts: list[str]) -> None:
    """A span is found when any three words of it are no template; its n-grams are those of all spans, each once."""
    texts = [text for text in texts if len(plain_words(text)) >= 3] or ["a b c"]
    index, good = index_of(texts, max_items=2), good_seeds(texts, 2)
    spans = common_spans(index, documents)
    expected = {
        row
        for row in brute(documents, texts, 3)
        if any(tuple(plain_words(documents[row[0]])[i : i + 3]) in good for i in range(row[2], row[2] + row[4] - 2))
    }
    assert {tuple(row) for row in spans.tolist()} == expected
    grams = {
        (d, kind) for d, known, _, first, n in spans.tolist() for kind in grams_in(index, known, first, n).tolist()
    }
    assert different_grams(index, spans).tolist() == sorted(map(list, grams))


def test_the_longest_common_span_of_prose() -> None:
    generator = random.Random(5)
    words = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("ab", "el", "in", "or", "un", "ist")]
    texts = [" ".join(generator.choices(words, k=generator.randint(8, 60))) for _ in range(60)]
    documents = []
    for text in texts[:30]:
        parts = text.split()
        begin = generator.randint(0, len(parts) - 8)
        copied = parts[begin : begin + generator.randint(8, 40)]
        around = generator.choices(words, k=50)
        documents.append(" ".join([*around, *copied, *around]))
    index = index_of(texts, seed_words=8, gram_words=13)
    found = {tuple(row) for row in common_spans(index, documents).tolist()}
    assert found == brute(documents, texts, 8) and len(found) >= 30


def test_memory_bounds_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a b c a b c a b", "c a b b a c a b c"]
    documents = ["b c a b c a b c a a b c", "a b c", "c c c"]
    wanted = common_spans(index_of(texts), documents)
    monkeypatch.setattr(overlap, "MAX_CELLS", 7)
    assert (common_spans(index_of(texts), documents) == wanted).all() and len(wanted) > 4


def test_one_word_again_and_again_takes_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 and 5,000 times the same word meet at 2.5 million places, on 5,499 lines."""
    monkeypatch.setattr(overlap, "MAX_CELLS", 50_000)
    index = index_of(["0 " * 5000])
    tracemalloc.start()
    try:
        spans = common_spans(index, ["0 " * 500])
        grams = different_grams(index, spans)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(spans) == 500 + 5000 - 1 - 2 * 2  # lines that are three words long and more
    assert spans[:, 4].max() == 500 and grams.tolist() == [[0, 0]]
    assert peak_bytes < 16_000_000


def test_books_are_hashed_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    monkeypatch.setattr(overlap, "words_of", lambda texts: taken.append(sum(map(len, texts))) or words_of(texts))
    texts = [f"{n} " + "word " * 12_000 for n in range(20)]
    hashes, offsets = overlap.hashed_words(texts)
    assert len(taken) == 5 and max(taken) < 260_000
    assert np.diff(offsets).tolist() == [12_001] * 20 and len(hashes) == 20 * 12_001


@pytest.mark.parametrize(
    "text",
    [
        "the quick BROWN fox; jumped over -- the lazy dog",
        "  The quick\n\nbrown\tfox jumped, over the lazy dog!!!",
        "“The quick brown fox” jumped over … the lazy dog",
        "The　quick brown fox jumped over the lazy dog",  # full-width letters, other spaces
    ],
)
def test_case_punctuation_and_form_do_not_matter(text: str) -> None:
    spans = common_spans(index_of(["The quick brown fox jumped over the lazy dog."]), [f"Before: {text} after."])
    assert spans.tolist() == [[0, 0, 1, 0, 9]]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("e\u0301 a\u2028b\x1cc\u00a0d ½ ﬁ Σας İ")
def test_places_are_those_of_the_words(text: str) -> None:
    """As many places as words, in order; hashes and plain words part a text alike."""
    places = word_places(text)
    assert len(places) == len(plain_words(text)) == len(words_of([overlap.prepared(text)])[0])
    assert places == sorted(places) and all(text[a:b].strip() == text[a:b] != "" for a, b in places)


def test_templates_start_no_match_but_do_not_cut_one() -> None:
    """ "which of these is" stands in four items: alone it is nothing, inside a copied item it is part of the span."""
    texts = [f"one {n} word which of these is it {n} {n}" for n in range(4)]
    index = index_of(texts, max_items=3)
    assert common_spans(index, ["so which of these is it then"]).tolist() == []
    assert common_spans(index, [texts[2]]).tolist() == [[0, 2, 0, 0, 10]]
    assert len(common_spans(index_of(texts, max_items=4), ["so which of these is it then"])) == 4


def test_equal_texts_are_one_with_all_owners() -> None:
    index = build_index(["a b c", "A, B, C!", "c b a", "too short"], [[0], [3], [1, 2], [4]],
                        seed_words=3, gram_words=5, max_items=9)  # fmt: skip
    assert index.offsets.tolist() == [0, 3, 6] and index.owner_offsets.tolist() == [0, 2, 4]
    assert index.owners.tolist() == [0, 3, 1, 2]


def test_n_grams_of_a_span() -> None:
    """Seven words have three 5-grams; a text of four words is one, and only when it is whole."""
    index = index_of(["a b c d e f g", "a b c d", "b c d e f"])
    assert len(grams_in(index, 0, 0, 7)) == 3 and len(grams_in(index, 0, 1, 4)) == 0
    assert grams_in(index, 0, 1, 5).tolist() == grams_in(index, 2, 0, 5).tolist()
    assert len(grams_in(index, 1, 0, 4)) == 1 and len(grams_in(index, 1, 0, 3)) == 0


def test_on_disk_and_back(tmp_path: Path) -> None:
    index = index_of(["a b c d", "e f g h"])
    index.save(tmp_path / "index")
    again = load_index(tmp_path / "index")
    assert again.seed_words == 3 and again.gram_words == 5 and isinstance(again.hashes, np.memmap)
    assert (common_spans(again, ["x e f g"]) == common_spans(index, ["x e f g"])).all()


def test_nothing_known_and_nothing_given() -> None:
    assert common_spans(index_of(["a b"]), ["a b c d"]).shape == (0, 5)
    assert common_spans(index_of(["a b c"]), ["", "a"]).shape == (0, 5)
    assert common_spans(index_of(["a b c"]), []).shape == (0, 5)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.copies.shingles import normalise
from hornbook.data.learned.features import (
    Features,
    find_words,
    hashed,
    ngram_hashes,
    phrase_hashes,
    spelled,
    with_any,
    word_hashes,
)

LONG = "pneumonoultramicroscopicsilicovolcanoconiosis"


def words_of(text: str, marks: bool = False) -> list[str]:
    found = find_words([normalise(text)], marks)
    data = found.data.tobytes()
    return [data[a:b].decode() for a, b in zip(found.starts, found.ends, strict=True)]


def features_of(text: str, features: Features) -> list[list[int]]:
    """The buckets of one text, block by block, those for nothing left out."""
    [(_, blocks)] = list(hashed([text], features))
    return [[b for b in block.buckets.T.ravel().tolist() if b != features.num_buckets] for block in blocks]


def test_words_and_marks() -> None:
    assert words_of("The cat's 2nd NAP, été!") == ["the", "cat", "s", "2nd", "nap", "été"]
    assert words_of("a(b)\nc", marks=True) == ["a", "(", "b", ")", "\n", "c", "\n"]  # the end of a text is a mark, too
    assert words_of("") == [] and words_of("...") == [] and words_of("x") == ["x"]


@given(st.lists(st.text(st.sampled_from("ab é.\n"), max_size=30), min_size=1, max_size=6))
def test_a_text_has_the_same_features_alone_and_among_others(texts: list[str]) -> None:
    for features in (Features(), Features(words=3, chars=3, marks=True, bits=12)):
        [(_, blocks)] = list(hashed(texts, features))
        for number, text in enumerate(texts):
            for block, alone in zip(blocks, features_of(text, features), strict=True):
                rows = block.buckets[block.offsets[number] : block.offsets[number + 1]].T.ravel().tolist()
                assert [b for b in rows if b != features.num_buckets] == alone


@given(st.text(st.sampled_from("abc é"), max_size=60), st.integers(1, 4))
def test_ngrams_are_those_of_a_plain_loop(text: str, size: int) -> None:
    names = normalise(text).split()
    hashes = ngram_hashes(word_hashes(find_words([normalise(text)], False)), size).tolist() if names else []
    wanted = [tuple(names[i : i + size]) for i in range(len(names) - size + 1)]
    seen: dict[tuple[str, ...], int] = {}
    for run, value in zip(wanted, hashes, strict=False):
        assert seen.setdefault(run, value) == value
    assert len(set(seen.values())) == len(seen)  # different runs, different hashes


def test_long_words_differ_by_their_first_32_bytes_and_their_length() -> None:
    texts = [LONG, LONG[:31] + "x" + LONG[32:], LONG + "x", LONG[:-1] + "x", "abcdefgh", "abcdefghi", "abcdefgh\0"]
    hashes = [int(word_hashes(find_words([text], False))[0]) for text in texts]
    assert hashes[0] != hashes[1] and hashes[0] != hashes[2] and len(set(hashes[4:6])) == 2
    assert hashes[0] == hashes[3]  # only what follows the 32nd byte is another
    assert hashes[4] == hashes[6]


def test_numbers_of_features() -> None:
    words, chars = features_of("one two three", Features(words=2, chars=3))
    assert len(words) == 3 + 2 and len(chars) == 12 + 11
    assert features_of("one", Features(words=2)) == [features_of("one", Features(words=1))[0]]


def test_the_hash_never_changes() -> None:
    """Weights on disk are for these buckets."""
    assert features_of("The cat sat", Features(bits=18)) == [[240490, 28249, 127768, 62525, 93628]]


def test_features_can_be_read() -> None:
    features = Features(words=2, chars=3, bits=20)
    words, chars = features_of("The cat (sat)", features)
    names = spelled(["The cat (sat)", "the cat"], features, words + chars)
    assert [names[b] for b in words] == ["the", "cat", "sat", "the cat", "cat sat"]
    assert {names[b] for b in chars} >= {"th", "the", " ca", "at)"}
    assert spelled([], features, words) == {} and spelled(["x"], features, words) == {}


def test_phrases_are_found_inside_one_text_only() -> None:
    phrases = phrase_hashes(["bad", "very rude word", "", "two words"])
    assert sorted(phrases) == [1, 2, 3]
    texts = ["a BAD day", "badly", "Two words.", "a very rude", "word two", "words", "so very rude word"]
    assert with_any(texts, phrases) == [True, False, True, False, False, False, True]
    assert with_any([], phrases) == [] and with_any(["..."], phrases) == [False]


@pytest.mark.parametrize("size", [1, 299_999, 300_001, 700_000])
def test_chunks_cover_all_texts(size: int) -> None:
    texts = ["a " * (size // 2), "b", "c " * 160_000, "d"]
    parts = [part for part, _ in hashed(texts, Features())]
    assert [i for part in parts for i in range(4)[part]] == [0, 1, 2, 3]
    assert all(len(block.offsets) - 1 == part.stop - part.start for part, [block] in hashed(texts, Features()))
    assert all(isinstance(block.buckets, np.ndarray) for _, [block] in hashed(texts, Features()))

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.gopher_repetition import Settings, decide

OFF = {
    "max_lines": 1.0,
    "max_line_chars": 1.0,
    "max_paragraphs": 1.0,
    "max_paragraph_chars": 1.0,
    "max_top_ngrams": (1.0, 1.0, 1.0),
    "max_duplicate_ngrams": (1.0,) * 6,
}


def verdict(text: str, **settings: object) -> object:
    return decide(Document("1", text), Settings(**{**OFF, **settings}))  # type: ignore[arg-type]


def test_prose_is_kept() -> None:
    words = [f"word{i}" for i in range(300)]
    assert decide(Document("1", " ".join(words)), Settings()) == Keep()
    assert decide(Document("1", " \n "), Settings()) == Keep()


def test_lines_that_occurred_before() -> None:
    text = "aaaa\nbb\naaaa\naaaa\ncccc"  # 5 lines, 2 repeat; 8 of 22 characters
    assert verdict(text, max_lines=0.39) == Drop("repetition.lines", 0.4)
    assert verdict(text, max_lines=0.4) == Keep()
    assert verdict(text, max_line_chars=0.36) == Drop("repetition.line_chars", pytest.approx(8 / 22))
    # dolma counts the first copy too, and characters without white space: 3 of 5 lines, 12 of 18 characters
    assert verdict(text, reading="dolma", max_lines=0.59) == Drop("repetition.lines", 0.6)
    assert verdict(text, reading="dolma", max_line_chars=0.66) == Drop("repetition.line_chars", pytest.approx(12 / 18))


def test_paragraphs_that_occurred_before() -> None:
    text = "one two\n\nthree\n\none two\n\nfour"  # 4 paragraphs, 1 repeats; 7 of 29 characters
    assert verdict(text, max_paragraphs=0.24) == Drop("repetition.paragraphs", 0.25)
    assert verdict(text, max_paragraph_chars=0.24) == Drop("repetition.paragraph_chars", pytest.approx(7 / 29))
    assert verdict(text, reading="dolma", max_paragraphs=0.0) == Keep()


def test_the_commonest_ngram() -> None:
    text = "big dog saw big dog and big dog ran"  # "big dog" 3 times; 3*6 = 18 of 27 letters
    assert verdict(text, max_top_ngrams=(0.6, 1, 1)) == Drop("repetition.top_2gram", pytest.approx(18 / 27))
    assert verdict(text, max_top_ngrams=(0.6, 1, 1), reading="dolma") == Drop("repetition.top_2gram", 18 / 27)
    # datatrove: "big dog" is 7 characters with its space, over the 35 of the text
    assert verdict(text, max_top_ngrams=(0.5, 1, 1), reading="datatrove") == Drop("repetition.top_2gram", 21 / 35)
    # nothing occurs twice: the paper's rule is silent, the others take the first 4-gram
    once = "aa bb cc dd ee"
    assert verdict(once, max_top_ngrams=(1, 1, 0.5)) == Keep()
    assert verdict(once, max_top_ngrams=(1, 1, 0.5), reading="dolma") == Drop("repetition.top_4gram", 0.8)
    assert verdict(once, max_top_ngrams=(1, 1, 0.5), reading="datatrove") == Drop("repetition.top_4gram", 11 / 14)


def test_runs_that_occur_again() -> None:
    text = "a b c d e x a b c d e y"  # 12 letters; the run of 5 occurs twice
    limits = (0.0,) + (1.0,) * 5
    assert verdict(text, max_duplicate_ngrams=limits) == Drop("repetition.duplicate_5gram", pytest.approx(10 / 12))
    assert verdict(text, max_duplicate_ngrams=limits, reading="datatrove") == Drop(
        "repetition.duplicate_5gram", pytest.approx(5 / 23)
    )
    # dolma: 8 runs of 5 words, 2 of them copies: 10 of 40 letters
    assert verdict(text, max_duplicate_ngrams=limits, reading="dolma") == Drop("repetition.duplicate_5gram", 0.25)


def test_overlapping_copies_count_once() -> None:
    text = "go go go go no"  # "go go" begins 3 times and covers 4 words: 8 of 10 letters
    assert verdict(text, max_top_ngrams=(0.7, 1, 1)) == Drop("repetition.top_2gram", 0.8)
    assert verdict(text, max_top_ngrams=(0.8, 1, 1)) == Keep()


def brute_force(words: list[str], n: int) -> float:
    """The paper's share for runs of n words, the slow way."""
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    counts = Counter(grams)
    covered = {i + j for i, gram in enumerate(grams) if counts[gram] > 1 for j in range(n)}
    return sum(len(words[i]) for i in covered) / sum(map(len, words))


@examples(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 120), st.integers(2, 6))
def test_runs_agree_with_brute_force(seed: int, length: int, num_words: int) -> None:
    generator = random.Random(seed)
    words = [generator.choice(["a", "bb", "ccc", "dddd", "eeeee", "ffffff"][:num_words]) for _ in range(length)]
    found = verdict(" ".join(words), max_duplicate_ngrams=(0.0,) + (1.0,) * 5)
    expected = brute_force(words, 5)
    assert found == (Drop("repetition.duplicate_5gram", pytest.approx(expected)) if expected else Keep())


def test_dclm_counts_first_copies_and_stripped_lines_over_the_lines_alone() -> None:
    text = "aaaa\n bb \naaaa \naaaa\ncccc"  # 3 of 5 lines; 12 of 18 characters
    assert verdict(text, reading="dclm", max_lines=0.59) == Drop("repetition.lines", 0.6)
    assert verdict(text, reading="dclm", max_lines=0.6) == Keep()
    assert verdict(text, reading="dclm", max_line_chars=0.66) == Drop("repetition.line_chars", pytest.approx(12 / 18))
    assert verdict(text, reading="dclm", max_line_chars=0.67) == Keep()
    paragraphs = "one two\n\nthree\n\n one two\n\nfour"  # 2 of 4; 14 of 23
    assert verdict(paragraphs, reading="dclm", max_paragraphs=0.49) == Drop("repetition.paragraphs", 0.5)
    found = verdict(paragraphs, reading="dclm", max_paragraph_chars=0.6)
    assert found == Drop("repetition.paragraph_chars", pytest.approx(14 / 23))


def test_dclm_takes_the_longest_of_equally_common_ngrams_and_no_marks() -> None:
    text = "a b, a b. longer words, longer words!"  # both pairs twice; 2 * 11 of 26 letters
    found = verdict(text, reading="dclm", max_top_ngrams=(0.8, 1, 1))
    assert found == Drop("repetition.top_2gram", pytest.approx(22 / 26))
    assert verdict(text, reading="dclm", max_top_ngrams=(22 / 26, 1, 1)) == Keep()
    assert verdict("aa bb cc dd ee", reading="dclm", max_top_ngrams=(0.1, 0.1, 0.1)) == Keep()  # nothing twice


def test_datatrove_parts_lines_at_runs_of_line_breaks() -> None:
    text = "aaaa\n\n\nbb\n \naaaa"  # four lines with the one of a space, and 4 of 16 characters repeat
    assert verdict(text, reading="datatrove", max_lines=0.24) == Drop("repetition.lines", 0.25)
    assert verdict(text, reading="datatrove", max_line_chars=0.24) == Drop("repetition.line_chars", 0.25)
    assert verdict(text, max_lines=0.32) == Drop("repetition.lines", pytest.approx(1 / 3))


def test_characters_are_words_where_there_are_no_spaces() -> None:
    chinese = "古老的灯塔看守人每天晚上都在数船"
    assert verdict(chinese, max_duplicate_ngrams=(0.1,) * 6) == Keep()
    found = verdict(chinese + "，" + chinese, max_duplicate_ngrams=(0.9, 1, 1, 1, 1, 1))
    assert found == Drop("repetition.duplicate_5gram", pytest.approx(32 / 33))
    assert verdict(chinese + "，" + chinese, reading="dolma", max_duplicate_ngrams=(0.9, 1, 1, 1, 1, 1)) == Keep()


def slow_verdict(text: str, settings: Settings) -> tuple[str, float] | None:
    """The paper's rules on runs of words, the slow way: rule and share of the first that drops."""
    words = text.split()
    total = sum(map(len, words))
    for n, limit in enumerate(settings.max_top_ngrams, 2):
        grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        if not grams:
            return None
        gram, most = Counter(grams).most_common(1)[0]
        covered = (
            {i + j for i, other in enumerate(grams) if other == gram for j in range(n)} if most > 1 else set[int]()
        )
        share = sum(len(words[i]) for i in covered) / total
        if share > limit and limit < 1:
            return f"repetition.top_{n}gram", share
    for n, limit in enumerate(settings.max_duplicate_ngrams, 5):
        share = brute_force(words, n) if len(words) >= n else 0.0
        if share > limit and limit < 1:
            return f"repetition.duplicate_{n}gram", share
    return None


SHARES = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1.0])


@examples(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 150),
    st.integers(2, 60),
    st.tuples(SHARES, SHARES, SHARES),
    st.tuples(*[SHARES] * 6),
)
def test_every_length_and_limit_agrees_with_brute_force(
    seed: int, length: int, num_words: int, top: tuple[float, float, float], runs: tuple[float, ...]
) -> None:
    generator = random.Random(seed)
    vocabulary = ["abcdefghij"[: 1 + i % 9] + str(i) for i in range(num_words)]
    words = [generator.choice(vocabulary) for _ in range(length)]
    for _ in range(generator.randrange(4)):  # runs that come again
        begin, size = generator.randrange(length), generator.randrange(1, 14)
        words += words[begin : begin + size]
    own = Settings(**{**OFF, "max_top_ngrams": top, "max_duplicate_ngrams": runs})  # type: ignore[arg-type]
    for settings in (Settings(), own):
        expected = slow_verdict(" ".join(words), settings)
        found = decide(Document("1", " ".join(words)), settings)
        assert found == (Drop(expected[0], pytest.approx(expected[1])) if expected else Keep())


@pytest.mark.parametrize("n", range(5, 11))
def test_each_length_of_run_has_its_own_limit(n: int) -> None:
    words = [f"w{i}" for i in range(40)]
    text = " ".join([*words[:n], "between", *words])  # one run of n words comes twice
    share = brute_force(text.split(), n)
    limits = [1.0] * 6
    limits[n - 5] = share - 0.001
    assert verdict(text, max_duplicate_ngrams=tuple(limits)) == Drop(
        f"repetition.duplicate_{n}gram", pytest.approx(share)
    )
    limits[n - 5] = share
    assert verdict(text, max_duplicate_ngrams=tuple(limits)) == Keep()
    longer = [1.0] * 6
    longer[n - 4 :] = [0.0] * (9 - n + 1)
    assert verdict(text, max_duplicate_ngrams=tuple(longer)) == Keep()

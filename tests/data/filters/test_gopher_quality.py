import pytest

from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.gopher_quality import Settings, decide

WORDS = "the quick fox and a hen had to cross that long river with care "  # 14 words, 5 different stop words


def verdict(text: str, **settings: object) -> object:
    return decide(Document("1", text), Settings(**settings))  # type: ignore[arg-type]


def test_plain_prose_is_kept() -> None:
    assert verdict(WORDS * 4) == Keep()


def test_number_of_words_with_symbols_not_counted() -> None:
    assert verdict("word " * 49 + "- | * # …", min_stop_words=0) == Drop("gopher.too_short", 49)
    assert verdict("word " * 50, min_stop_words=0) == Keep()
    assert verdict("word " * 11, min_words=1, max_words=10) == Drop("gopher.too_long", 11)
    assert verdict("") == Drop("gopher.too_short", 0)
    assert verdict("", min_words=0) == Drop("gopher.too_short", 0)


def test_word_length_is_a_mean_or_in_dolmas_reading_a_median() -> None:
    text = "of " * 30 + "extraordinarily " * 25  # mean (30*2 + 25*15) / 55 = 7.909, median 2
    assert verdict(text, min_stop_words=0) == Keep()
    assert verdict(text, min_stop_words=0, reading="dolma") == Drop("gopher.short_words", 2.0)
    assert verdict("ab " * 60) == Drop("gopher.short_words", 2.0)
    assert verdict("abcdefghijk " * 60) == Drop("gopher.long_words", 11.0)


def test_symbols_for_each_word() -> None:
    assert verdict("word " * 50 + "# " * 5, min_stop_words=0) == Keep()
    assert verdict("word " * 50 + "# " * 6, min_stop_words=0) == Drop("gopher.hashes", 0.12)
    assert verdict("word " * 50 + "... " * 3 + "… " * 4, min_stop_words=0) == Drop("gopher.ellipses", 0.14)


def test_lines() -> None:
    bullets = "- the cat and that hen\n" * 19
    assert verdict(bullets + "- one more\nno bullet\n\n") == Drop("gopher.bullet_lines", pytest.approx(20 / 21))
    assert verdict(bullets + "plain\nplain\nplain\n") == Keep()  # 19 of 22 = 0.864
    assert verdict("• the cat and that hen\n" * 20, reading="dolma") == Keep()  # knows * and - only
    dots = "the cat had to wait and that took long...\n" * 3 + "the end of that was good and right for us\n" * 6
    assert verdict(dots) == Drop("gopher.ellipsis_lines", pytest.approx(3 / 9))
    assert verdict(dots + "the end of that\n") == Keep()  # 3 of 10 is not above 0.3


def test_words_with_letters() -> None:
    assert verdict("word " * 40 + "1234 " * 10, min_stop_words=0) == Keep()
    assert verdict("word " * 40 + "1234 " * 11, min_stop_words=0) == Drop("gopher.few_letters", pytest.approx(40 / 51))


def test_stop_words_by_reading() -> None:
    text = "The fox. The hen. " * 20 + "brown hens sleep here " * 5  # one different stop word, 40 times, capital letter
    assert verdict(text) == Drop("gopher.few_stop_words", 1)
    assert verdict(text, reading="datatrove") == Drop("gopher.few_stop_words", 0)
    assert verdict(text.lower(), reading="dolma") == Keep()  # occurrences
    assert verdict(text, min_stop_words=0) == Keep()

import pytest

from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.gopher_quality import Settings, decide

ENGLISH = ("the", "be", "to", "of", "and", "that", "have", "with")
WORDS = "the quick fox and a hen had to cross that long river with care "  # 14 words, 5 different stop words


def verdict(text: str, language: str = "en", **settings: object) -> object:
    return decide(Document("1", text, meta={"language": language}), Settings(**settings))  # type: ignore[arg-type]


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
    assert verdict(text, reading="dclm") == Keep()  # occurrences in any case
    assert verdict("The fox ran home " + "brown hens sleep here " * 15, reading="dclm") == Drop(
        "gopher.few_stop_words", 1
    )
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
    text = "The fox The hen " * 20 + "brown hens sleep here " * 5  # one different stop word, 40 times, capital letter
    assert verdict(text, stop_words=ENGLISH) == Drop("gopher.few_stop_words", 1)
    assert verdict(text, reading="datatrove") == Drop("gopher.few_stop_words", 0)
    assert verdict(text.lower(), reading="dolma") == Keep()  # occurrences
    assert verdict(text, min_stop_words=0) == Keep()


def test_datatrove_counts_marks_as_words_without_letters_and_empty_lines_as_lines() -> None:
    text = "the cat and that hen ran, " * 10  # 60 words, 10 commas: 60 of 70 have a letter
    assert verdict(text, reading="datatrove") == Keep()
    marks = "the cat and that hen, ran, so; " * 9  # 63 words, 27 marks: 63 of 90 = 0.7
    assert verdict(marks, reading="datatrove") == Drop("gopher.few_letters", pytest.approx(0.7))
    assert verdict(marks) == Keep()
    bullets = "- the cat and that hen\n\n" * 19 + "- one more"
    assert verdict(bullets, reading="datatrove") == Keep()  # 20 of 39 lines
    assert verdict(bullets) == Drop("gopher.bullet_lines", 1.0)


def test_dclm_adds_hash_signs_and_ellipses_and_knows_spaced_dots() -> None:
    text = "the cat and that hen " * 10 + "# # # ... ... ... end"  # 57 words at white space, 6 marks
    assert verdict(text, reading="dclm") == Drop("gopher.symbols", pytest.approx(6 / 57))
    assert verdict(text.replace("# ", "", 1), reading="dclm") == Keep()  # 5 of 56
    assert verdict(text) == Keep()  # 3 of 50 each
    dots = "the cat had to wait . . .\n" * 4 + "the end of that was good and right for us\n" * 9
    assert verdict(dots, reading="dclm", max_symbols=1.0, min_word_chars=1) == Drop(
        "gopher.ellipsis_lines", pytest.approx(4 / 13)
    )
    assert verdict(dots, reading="paper", max_symbols=1.0, min_letter_words=0.0) == Keep()
    stars = "● the cat and that hen\n" * 20
    assert verdict(stars, reading="dclm", min_word_chars=1, min_letter_words=0.5) == Drop("gopher.bullet_lines", 1.0)


GERMAN = "der kleine Junge und die Katze sind nicht auf dem Dach der alten Mühle "  # 14 words


def test_rules_follow_the_language_noted_or_detected() -> None:
    assert verdict(GERMAN * 4, language="de") == Keep()
    assert verdict(GERMAN * 4, language="en") == Drop("gopher.few_stop_words", 0)
    assert verdict(GERMAN * 4, language="de", reading="datatrove") == Drop("gopher.few_stop_words", 0)
    assert decide(Document("1", GERMAN * 4), Settings()) == Keep()  # detected
    assert verdict("kala kukko lintu " * 20, language="fi") == Drop("gopher.few_stop_words", 0)
    assert verdict("kala kukko lintu " * 20, language="und") == Keep()  # no list, no rule
    assert verdict("kala kukko lintu " * 20, language="xx") == Keep()


def test_long_words_are_judged_by_their_language() -> None:
    text = "lumihiutaleita " * 30 + "ja on ei että se oli hän " * 3  # (30 * 14 + 3 * 17) / 51 = 9.235
    assert verdict(text, language="fi") == Keep()
    assert verdict("lumihiutaleiden " * 50, language="fi", min_stop_words=0) == Keep()  # 15 <= 10 * 7.9 / 5
    assert verdict("lumihiutaleidenko " * 50, language="fi", min_stop_words=0) == Drop("gopher.long_words", 17.0)
    assert verdict("lumihiutaleiden " * 50, language="en", min_stop_words=0) == Drop("gopher.long_words", 15.0)
    assert verdict("ab cde " * 30, language="vi", min_stop_words=0) == Keep()  # 2.5 >= 3 * 3.5 / 5
    assert verdict("ab cde " * 30, language="en", min_stop_words=0) == Drop("gopher.short_words", 2.5)


def test_words_without_spaces_are_counted_by_letters() -> None:
    chinese = "古老的灯塔看守人每天晚上都在数船，不是吗。"  # 19 letters
    assert verdict(chinese * 3, language="zh") == Drop("gopher.too_short", 36)  # 57 / 1.6
    assert verdict(chinese * 5, language="zh") == Keep()  # 59
    assert verdict("古老灯塔看守人每天晚上数船" * 8, language="zh") == Drop("gopher.few_stop_words", 1)  # 人
    assert verdict("ที่เรือและการเดินทางในทะเล" * 15, language="th") == Keep()

from hornbook.core.document import Document
from hornbook.data.language import languages
from hornbook.data.language.languages import (
    CHARS_PER_WORD,
    MEAN_WORD_CHARS,
    STOP_WORDS,
    has_spaces,
    language_of,
    num_words,
    word_chars_scale,
)

SPANISH = "El viejo farero contaba los barcos cada tarde antes de subir la escalera para encender la lámpara."


def test_tables_are_whole() -> None:
    assert len(STOP_WORDS) >= 60 and len(MEAN_WORD_CHARS) >= 60
    for language, words in STOP_WORDS.items():
        assert len(words) >= 7 and all(word == word.lower() for word in words), language
    assert STOP_WORDS["en"] == {"the", "be", "to", "of", "and", "that", "have", "with"}  # the paper's
    assert not set(CHARS_PER_WORD) & set(MEAN_WORD_CHARS)


def test_the_language_noted_counts_and_otherwise_the_one_detected() -> None:
    assert language_of(Document("1", SPANISH, meta={"language": "fr"})) == "fr"
    assert language_of(Document("1", SPANISH)) == "es"
    assert language_of(Document("1", SPANISH, meta={"language": ""})) == "es"
    assert language_of(Document("1", "1 2 3 4")) == "und"
    for label, language in (("zh-CN", "zh"), ("deu", "de"), ("EN", "en"), ("und", "und"), ("Spanish text", "es")):
        assert language_of(Document("1", SPANISH, meta={"language": label})) == language


def test_words_without_spaces_are_estimated_from_letters() -> None:
    assert num_words(["abcd", "ef"], "en") == 2
    assert num_words(["古老的灯塔", "看守"], "zh") == round(7 / 1.6)
    assert has_spaces("en") and has_spaces("und") and not has_spaces("ja")


def test_limits_of_word_length_scale_with_the_language() -> None:
    assert word_chars_scale("en") == 1.0 and word_chars_scale("xx") == 1.0
    assert word_chars_scale("fi") == 7.9 / 5 and word_chars_scale("vi") == 3.5 / 5


def test_every_mark_that_ends_a_sentence_is_one_character_and_no_closer() -> None:
    assert not set(languages.SENTENCE_ENDS) & set(languages.CLOSERS)
    assert {".", "!", "?", "。", "؟", "।"} <= set(languages.SENTENCE_ENDS)

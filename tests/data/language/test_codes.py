import pytest

from hornbook.data.language.codes import KNOWN, TWO_LETTERS, canonical
from hornbook.data.language.languages import CHARS_PER_WORD, MEAN_WORD_CHARS, STOP_WORDS


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("en", "en"), ("EN", "en"), ("en-GB", "en"), ("eng", "en"), (" pt_BR ", "pt"), ("zh-Hans-CN", "zh"),
        ("cmn", "zh"), ("nb", "no"), ("nob", "no"), ("iw", "he"), ("ger", "de"), ("ceb", "ceb"), ("zxx", "und"),
        ("und", "und"), ("", ""), ("english", ""), ("xx", ""), ("e", ""), ("деу", ""), ("12", ""),
    ],
)  # fmt: skip
def test_a_language_has_one_code(code: str, language: str) -> None:
    assert canonical(code) == language == (canonical(language) if language else "")


def test_every_code_with_facts_is_known_and_its_own() -> None:
    for code in (*CHARS_PER_WORD, *MEAN_WORD_CHARS, *STOP_WORDS):
        assert canonical(code) == code
    assert all(len(long) == 3 and len(short) == 2 for long, short in TWO_LETTERS.items())
    assert len(KNOWN) > 170

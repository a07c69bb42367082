from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.language import Settings, decide, detect

ENGLISH = "The old lighthouse keeper counted the boats every evening before he climbed the stairs to light the lamp."
GERMAN = "Der alte Wärter zählte jeden Abend die Boote, bevor er die Treppe hinaufstieg und die Lampe anzündete."


def test_languages_asked_for_stay_and_others_go() -> None:
    assert decide(Document("1", ENGLISH), Settings()) == Keep()
    assert decide(Document("1", GERMAN), Settings()) == Drop("language.other", "de")
    assert decide(Document("1", GERMAN), Settings(keep=("en", "de"))) == Keep()


def test_below_the_confidence_a_language_is_unknown() -> None:
    short = Document("1", "Zum zum zum")
    verdict = decide(short, Settings(min_confidence=0.99))
    assert isinstance(verdict, Drop) and verdict.rule == "language.unknown"
    assert decide(short, Settings(min_confidence=0.99, unknown="keep")) == Keep()


def test_only_the_beginning_is_read_and_cut_inside_a_character() -> None:
    assert detect(ENGLISH * 30 + GERMAN * 100, head_bytes=1000)[0] == "en"
    language, confidence = detect("ж" * 5000, head_bytes=101)
    assert language in ("ru", "bg", "sr", "mk", "uk", "mn", "kk", "ky", "be") and 0 <= confidence <= 1

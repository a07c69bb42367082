import pydantic
import pytest

from hornbook.core.document import Document, Drop, Edit, Keep
from hornbook.data.filters import language
from hornbook.data.filters.language import Settings, decide
from hornbook.data.language.langid import Guess

ENGLISH = "The old lighthouse keeper counted the boats every evening before he climbed the stairs to light the lamp."
GERMAN = "Der alte Wärter zählte jeden Abend die Boote, bevor er die Treppe hinaufstieg und die Lampe anzündete."


def verdict(text: str, **settings: object) -> object:
    return decide(Document("1", text), Settings(**settings))  # type: ignore[arg-type]


def noted(language: str) -> dict[str, object]:
    return {"language": language, "language_confidence": pytest.approx(1.0, abs=0.01)}


def test_languages_asked_for_stay_and_others_go() -> None:
    assert verdict(ENGLISH) == Keep(noted("en"))
    assert verdict(GERMAN) == Drop("language.other", "de", noted("de"))
    assert verdict(GERMAN, keep=("en", "de")) == Keep(noted("de"))
    assert verdict(GERMAN, keep=()) == Keep(noted("de"))
    assert verdict("Den gamle fyrvokteren telte båtene hver kveld før han gikk opp trappen.", keep=("nb",)) == Keep(
        {"language": "no", "language_confidence": pytest.approx(0.9, abs=0.1)}
    )


def test_below_the_confidence_a_language_is_unknown_and_noted_so() -> None:
    drop = verdict("Zum zum zum", min_confidence=0.99)
    assert isinstance(drop, Drop) and drop.rule == "language.unknown" and drop.meta["language"] == "und"
    keep = verdict("Zum zum zum", min_confidence=0.99, unknown="keep")
    assert isinstance(keep, Keep) and keep.meta["language"] == "und" and keep.meta["language_confidence"] < 0.99
    assert verdict("", unknown="keep") == Keep(noted_nothing())


def test_code_numbers_and_encoded_data_are_no_language() -> None:
    assert verdict("1,204 33.1 98 77\n" * 30) == Drop("language.unknown", "und 0.00", noted_nothing())
    code = "def area(w, h):\n    if w < 0:\n        return 0\n    total = w * h\n    print(total)\n    return total\n"
    assert verdict(code * 3) == Drop("language.unknown", "und 0.00", noted_nothing())


def noted_nothing() -> dict[str, object]:
    return {"language": "und", "language_confidence": 0.0}


def test_lines_in_other_languages_go_and_short_ones_go_with_them() -> None:
    text = f"Home\n{ENGLISH}\n\n{GERMAN}\nJa!\n{ENGLISH}\nYes!"
    assert verdict(text) == Keep({"language": "en", "language_confidence": pytest.approx(0.9, abs=0.11)})
    edit = verdict(text, lines=True)
    assert isinstance(edit, Edit)
    assert edit.text == f"Home\n{ENGLISH}\n\n{ENGLISH}\nYes!"
    assert edit.counts == {"language.line": 2} and edit.meta["language"] == "en"
    assert verdict(ENGLISH + "\n" + ENGLISH, lines=True) == Keep(noted("en"))


def test_lines_before_the_first_sure_one_go_with_it() -> None:
    edit = verdict(f"Ja!\n{GERMAN}\n{ENGLISH}\n{ENGLISH}", lines=True)
    assert isinstance(edit, Edit) and edit.text == f"{ENGLISH}\n{ENGLISH}" and edit.counts == {"language.line": 2}


def test_doubtful_lines_stay_with_their_neighbours() -> None:
    names = "Anna Meier, Jonas Weber, Peter Schmidt, Maria Fischer, Paul Wagner, Eva Becker"
    assert verdict(f"{ENGLISH}\n{names}", lines=True, line_confidence=1.0) == Keep(
        {"language": "en", "language_confidence": pytest.approx(0.9, abs=0.11)}
    )


def test_a_document_mostly_in_another_language_goes_whole() -> None:
    text = f"{ENGLISH}\n{GERMAN}\n{GERMAN}"
    drop = verdict(text, lines=True)
    assert isinstance(drop, Drop) and drop.rule == "language.mixed"
    share = 2 * len(GERMAN) / (len(ENGLISH) + 2 * len(GERMAN))
    assert drop.value == pytest.approx(share)
    assert isinstance(verdict(text, lines=True, max_other_frac=share), Edit)


def test_nothing_but_foreign_lines_is_no_document() -> None:
    drop = verdict(f"{GERMAN}\n{GERMAN}", lines=True, max_other_frac=1.0, unknown="keep")
    assert drop == Drop("language.mixed", 1.0, noted("de"))


def test_the_same_detector_names_a_mixed_document(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def detect(text: str, head_bytes: int, library: str) -> Guess:
        asked.append(library)
        return Guess("de" if text.startswith("Der") else "en", 1.0)

    monkeypatch.setattr(language, "detect", detect)
    assert isinstance(verdict(f"{ENGLISH}\n{GERMAN}\n{GERMAN}", lines=True, library="lingua"), Drop)
    assert set(asked) == {"lingua"} and len(asked) == 4


def test_codes_of_languages_are_checked() -> None:
    for code in ("EN", "eng", "en-GB"):
        assert Settings(keep=(code,)).keep == ("en",)
    with pytest.raises(pydantic.ValidationError, match='"english" is no code of a language'):
        Settings(keep=("de", "english"))

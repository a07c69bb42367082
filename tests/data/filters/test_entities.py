import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.document import Document, Edit, Keep
from hornbook.core.errors import SettingsError
from hornbook.data.filters import entities
from hornbook.data.filters.entities import Find, Settings, decide, load, pieces


def names(*wanted: tuple[str, entities.Kind]) -> Find:
    """A finder of the first place of each name."""

    def find(text: str) -> list[tuple[int, int, entities.Kind]]:
        return [(text.find(name), text.find(name) + len(name), kind) for name, kind in wanted if name in text]

    return find


def test_entities_are_replaced_and_counted_by_kind() -> None:
    text = "Ada Lovelace met Charles in London."
    find = names(("Ada Lovelace", "person"), ("Charles", "person"), ("London", "location"))
    decision = decide(Document("1", text), Settings(mask=("person", "location")), find)
    assert isinstance(decision, Edit)
    assert decision.text == "[PERSON] met [PERSON] in [LOCATION]."
    assert decision.counts == {"entities.person": 2, "entities.location": 1}
    assert decide(Document("1", text), Settings(), names()) == Keep()


def test_a_long_text_is_looked_at_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities, "PIECE_CHARS", 20)
    seen: list[str] = []

    def find(text: str) -> list[tuple[int, int, entities.Kind]]:
        seen.append(text)
        return names(("Ada", "person"))(text)

    text = "a line of Ada\nanother one of Ada and more"
    decision = decide(Document("1", text), Settings(), find)
    assert isinstance(decision, Edit)
    assert decision.text == text.replace("Ada", "[PERSON]")
    assert decision.counts == {"entities.person": 2}
    assert seen == ["a line of Ada\n", "another one of Ada ", "and more"]


@given(st.text(alphabet="ab \n", max_size=200), st.integers(1, 30))
def test_pieces_are_the_text_and_none_is_too_long(text: str, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(entities, "PIECE_CHARS", most)
        found = list(pieces(text))
    assert "".join(found) == text
    assert all(len(piece) <= most for piece in found)


def test_the_extra_is_named_when_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(SettingsError, match="presidio-analyzer is not installed") as error:
        load(Settings())
    assert "hornbook[pii]" in str(error.value)


def test_presidio_finds_what_the_model_finds(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy", reason="needs the extra pii")
    pytest.importorskip("presidio_analyzer", reason="needs the extra pii")
    model = spacy.blank("en")
    ruler = model.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ada Lovelace"}, {"label": "GPE", "pattern": "London"}])
    model.to_disk(tmp_path / "model")
    text = "Mrs Ada Lovelace lived in London. " * 2
    for mask, wanted in (
        (("person",), text.replace("Ada Lovelace", "[PERSON]")),
        (("location",), text.replace("London", "[LOCATION]")),
    ):
        settings = Settings(model=str(tmp_path / "model"), mask=mask)  # type: ignore[arg-type]
        decision = decide(Document("1", text), settings, load(settings))
        assert isinstance(decision, Edit)
        assert decision.text == wanted
    with pytest.raises(SettingsError, match="no spaCy pipeline"):
        load(Settings(model=str(tmp_path / "nowhere")))

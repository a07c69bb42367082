import pydantic
import pytest

from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.core.settings import InputPath, StrictSettings, input_fields, parse, resolve_input


class Inner(StrictSettings):
    width: int = 64
    """Width."""


class Example(StrictSettings):
    total_tokens: int = 10
    """Tokens."""
    rate: float = 0.1
    """Rate."""
    path: InputPath = ""
    """Where."""
    more: tuple[InputPath, ...] = ()
    """More places."""
    maybe: InputPath | None = None
    """Perhaps."""
    inner: Inner = Inner()
    """Nested."""


def test_docstrings_become_descriptions():
    assert Example.model_fields["total_tokens"].description == "Tokens."


def test_unknown_key_names_the_nearest():
    with pytest.raises(SettingsError, match='unknown setting "total_token"; did you mean "total_tokens"'):
        parse(Example, {"total_token": 3}, "stage x")


def test_nested_unknown_key_names_the_nearest_of_its_own_table():
    with pytest.raises(SettingsError, match=r'"inner.widht"; did you mean "width"'):
        parse(Example, {"inner": {"widht": 3}}, "stage x")


def test_wrong_types_say_what_was_found_and_where():
    with pytest.raises(SettingsError, match=r'"total_tokens" = \'many\'.*stage x'):
        parse(Example, {"total_tokens": "many"}, "stage x")
    with pytest.raises(SettingsError, match="total_tokens"):
        parse(Example, {"total_tokens": True}, "stage x")


def test_every_mistake_is_listed():
    with pytest.raises(SettingsError) as caught:
        parse(Example, {"total_tokens": "a", "rate": "b", "zzz": 1}, "stage x")
    assert all(name in str(caught.value) for name in ("total_tokens", "rate", "zzz"))


def test_a_table_read_inside_another_gives_its_advice_once():
    class Outer(StrictSettings):
        table: dict[str, int]
        """Of Inner."""

        @pydantic.field_validator("table")
        @classmethod
        def _is_inner(cls, value: dict[str, int]) -> dict[str, int]:
            parse(Inner, value, "rule inner")
            return value

    with pytest.raises(SettingsError) as caught:
        parse(Outer, {"table": {"widht": 1}}, "stage x")
    assert str(caught.value) == (
        '"table": unknown setting "widht"; did you mean "width"? (rule inner) (stage x). '
        "`hornbook stages NAME` lists every setting."
    )


def test_lists_become_tuples_and_ints_are_floats():
    settings = parse(Example, {"more": ["a", "b"], "rate": 1}, "stage x")
    assert settings.more == ("a", "b") and settings.rate == 1.0


def test_input_fields_are_found_in_every_form():
    assert input_fields(Example) == ["path", "more", "maybe"]


def test_inputs_are_looked_up_below_the_data_folder_then_here(tmp_path, monkeypatch):
    data, here = tmp_path / "data", tmp_path / "here"
    for folder in (data, here):
        folder.mkdir()
        (folder / "both.txt").write_text(folder.name)
    (here / "only.txt").write_text("x")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HORNBOOK_DATA", str(data))
    assert resolve_input("both.txt").read_text() == "data"
    assert resolve_input("only.txt") == (here / "only.txt").resolve()
    with pytest.raises(ArtifactError, match="nothing.txt.*HORNBOOK_DATA"):
        resolve_input("nothing.txt")

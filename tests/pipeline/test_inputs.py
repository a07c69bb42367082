"""Inputs on disk: hashed by content, remembered, adopted."""

import os

import pytest

from hornbook.core.errors import ArtifactError
from hornbook.core.settings import InputPath, StrictSettings
from hornbook.pipeline.inputs import (
    adopt,
    adopted_hash,
    check_inputs,
    content_hash,
    folder_bytes,
    hashed_settings,
    input_bytes,
    input_values,
)


class Part(StrictSettings):
    path: InputPath = "a.txt"
    """A file."""
    weight: float = 1.0
    """A weight."""


class Settings(StrictSettings):
    main: InputPath | None = None
    """A file."""
    parts: tuple[Part, ...] = ()
    """Several."""
    label: str = "a.txt"
    """Not a path."""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_DATA", raising=False)
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.txt").write_text("two")
    (tmp_path / "b" / "y.txt").write_text("three")
    return tmp_path


def test_inputs_are_found_however_deep(files):
    settings = Settings(main="b", parts=(Part(), Part(path="hub:me/data")))
    assert input_values(settings) == [("main", "b"), ("parts[0].path", "a.txt"), ("parts[1].path", "hub:me/data")]
    assert input_bytes(settings) == len("two") + len("three") + len("one")
    assert input_values(Settings()) == []


def test_the_hash_is_of_contents_and_names_not_of_place_or_time(files):
    first = content_hash("b", files)
    os.utime(files / "b" / "x.txt", (1, 1))
    assert content_hash("b", files) == first
    (files / "b").rename(files / "c")
    assert content_hash("c", files) == first
    (files / "c" / "x.txt").write_text("TWO")
    assert content_hash("c", files) != first
    (files / "c" / "x.txt").write_text("two")
    (files / "c" / "x.txt").rename(files / "c" / "z.txt")
    assert content_hash("c", files) != first, "ids of documents come from file names"


def test_the_hash_is_remembered_until_a_file_changes(files, monkeypatch):
    first = content_hash("b", files)

    monkeypatch.setattr("hashlib.blake2b", Counting)
    Counting.made = 0
    assert content_hash("b", files) == first and Counting.made == 1, "only the look of the folder is hashed"
    (files / "b" / "x.txt").write_text("changed")
    assert content_hash("b", files) != first


class Counting:
    made = 0

    def __new__(cls, *words, **more):
        import _blake2

        cls.made += 1
        return _blake2.blake2b(*words, **more)


def test_a_damaged_memory_is_made_again(files):
    (files / "inputs.json").write_text("{broken")
    assert content_hash("a.txt", files) == content_hash("a.txt", files)


def test_settings_carry_hashes_in_place_of_paths_only(files):
    found = hashed_settings(Settings(main="a.txt", parts=(Part(weight=2.0),)), files)
    digest = content_hash("a.txt", files)
    assert found == {
        "main": {"contents": digest},
        "parts": [{"path": {"contents": digest}, "weight": 2.0}],
        "label": "a.txt",
    }
    assert hashed_settings(Settings(main="hub:me/data"), files)["main"] == {"contents": "hub:me/data"}


def test_missing_inputs_are_named_with_their_setting(files):
    mistakes = check_inputs(Settings(main="gone", parts=(Part(path="lost"),)), "stage")
    assert len(mistakes) == 2 and mistakes[0].startswith('stage, main: nothing is at "gone"')
    assert "parts[0].path" in mistakes[1]


def test_a_foreign_model_or_tokenizer_is_adopted(files):
    (files / "model").mkdir()
    (files / "model" / "config.json").write_text("{}")
    artifact = adopt("model", ("checkpoint",))
    assert artifact.kind == "checkpoint" and adopted_hash(artifact, files) == content_hash("model", files)
    with pytest.raises(ArtifactError, match="not tokenizer"):
        adopt("model", ("tokenizer",))
    with pytest.raises(ArtifactError, match="nothing is at"):
        adopt("nowhere", ("checkpoint",))


def test_bytes_of_nothing(tmp_path):
    assert folder_bytes(tmp_path / "none") == 0


def test_names_that_are_not_utf8_are_hashed_too(tmp_path):
    hashes = set()
    (tmp_path / "cache").mkdir()
    for number, name in enumerate((b"a\xff", b"a\xfe", b"a")):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            (folder / os.fsdecode(name)).write_text("x")
        except OSError:
            pytest.skip("this file system takes only names in UTF-8")
        hashes.add(content_hash(str(folder), tmp_path / "cache"))
    assert len(hashes) == 3

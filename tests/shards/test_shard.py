import os
import pickle
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hornbook.core.errors import DataError
from hornbook.shards.shard import Failure, Notes, Shard, write_whole


def test_a_finished_shard_is_remembered_only_for_the_same_settings_inputs_and_outputs(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "kept.txt").write_text("x")
    shard = Shard("00000", {"file": "a", "begin": 0})
    notes = Notes(tmp_path / "notes", "v1")
    assert notes.summary(shard, root) is None
    notes.finish(shard, ["kept.txt"], {"in": 3})
    assert notes.summary(shard, root) == {"in": 3}
    assert Notes(tmp_path / "notes", "v2").summary(shard, root) is None
    assert notes.summary(Shard("00000", {"file": "a", "begin": 1}), root) is None
    (root / "kept.txt").unlink()
    assert notes.summary(shard, root) is None


def test_records_set_aside_add_up(tmp_path: Path) -> None:
    notes, shard = Notes(tmp_path, "v1"), Shard("s", None)
    assert notes.set_aside(shard) == {}
    notes.add_aside(shard, 7, "timeout")
    notes.add_aside(shard, 2, "crash")
    assert notes.set_aside(shard) == {7: "timeout", 2: "crash"}
    assert Notes(tmp_path, "v2").set_aside(shard) == {}


def test_a_broken_note_counts_as_none(tmp_path: Path) -> None:
    notes, shard = Notes(tmp_path, "v1"), Shard("s", None)
    (tmp_path / "s.done.json").write_text('{"key": "half')
    assert notes.summary(shard, tmp_path) is None


def test_writing_whole_leaves_nothing_else(tmp_path: Path) -> None:
    write_whole(tmp_path / "deep" / "a.json", {"x": 1})
    assert os.listdir(tmp_path / "deep") == ["a.json"]


def test_a_failure_arrives_with_its_error_or_at_least_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(error: Exception) -> Failure:
        return pickle.loads(pickle.dumps(Failure("Odd", "it is odd", "trace", "s", "r", 28, error)))

    assert str(sent(DataError("it is odd", do="Fix it")).error) == "it is odd. Fix it."

    class Odd(DataError):
        pass

    words = ("Odd", "it is odd", "trace", "s", "r", 28, None)
    found = sent(Odd("it is odd"))  # no other process can find a class made in a function
    assert (found.kind, found.message, found.traceback, found.shard, found.record, found.errno, found.error) == words
    script = ModuleType("a_main_script")
    Odd.__module__, Odd.__qualname__ = "a_main_script", "Odd"
    script.Odd = Odd  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_main_script", script)
    packed = pickle.dumps(Failure(*words[:6], Odd("it is odd")))
    assert type(pickle.loads(packed).error) is Odd
    monkeypatch.delitem(sys.modules, "a_main_script")
    assert pickle.loads(packed).error is None and pickle.loads(packed).message == "it is odd"

import os
from pathlib import Path

from hornbook.shards.shard import Notes, Shard, write_whole


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

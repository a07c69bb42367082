import json

import pytest

from hornbook.core.artifact import (
    Artifact,
    Manifest,
    building,
    files_of,
    hash_files,
    open_artifact,
    payload_hash,
    write_json,
)
from hornbook.core.errors import ArtifactError
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog


def build(path, kind="documents", fingerprint="f1"):
    return building(path, kind=kind, log=RunLog(quiet=True), machine=Machine(), fingerprint=fingerprint)


def test_an_artifact_appears_only_when_complete(tmp_path):
    final = tmp_path / "01-text"
    with build(final) as out:
        (out.path / "a.txt").write_text("a")
        out.counts["docs"] = 3
        out.licences += ["CC0", "CC0"]
        assert not final.exists()
    artifact = open_artifact(final, "documents")
    assert artifact.manifest.counts == {"docs": 3} and artifact.manifest.licences == ["CC0"]
    assert artifact.file("a.txt").read_text() == "a"
    assert not (final / ".resume").exists() and not (tmp_path / "01-text.partial").exists()


def test_a_failure_leaves_the_partial_folder_for_the_next_try(tmp_path):
    final = tmp_path / "01-text"
    with pytest.raises(RuntimeError), build(final) as out:
        (out.resume / "state").write_text("half")
        raise RuntimeError
    assert not final.exists()
    with pytest.raises(ArtifactError, match="interrupted"):
        open_artifact(final)
    with build(final) as out:
        assert (out.resume / "state").read_text() == "half"


def test_a_partial_folder_of_other_settings_is_emptied(tmp_path):
    final = tmp_path / "01-text"
    with pytest.raises(RuntimeError), build(final, fingerprint="old") as out:
        (out.path / "left.txt").write_text("old")
        raise RuntimeError
    with build(final, fingerprint="new") as out:
        assert not (out.path / "left.txt").exists()


def test_rebuilding_replaces_the_whole_folder(tmp_path):
    final = tmp_path / "x"
    for name in ("a", "b"):
        with build(final, fingerprint=name) as out:
            (out.path / name).write_text(name)
    assert sorted(p.name for p in final.iterdir()) == ["b", "manifest.json"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x"]


def test_payload_hash_sees_bytes_and_names_but_not_clocks(tmp_path):
    (tmp_path / "a").write_text("1")
    first = payload_hash(tmp_path)
    (tmp_path / "timing.jsonl").write_text("now")
    (tmp_path / "manifest.json").write_text("{}")
    assert payload_hash(tmp_path) == first
    (tmp_path / "a").write_text("2")
    changed = payload_hash(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, changed, payload_hash(tmp_path)}) == 3


def test_other_kinds_missing_files_and_newer_schemas_are_refused(tmp_path):
    with build(tmp_path / "x"):
        pass
    with pytest.raises(ArtifactError, match="found documents where tokens is needed"):
        open_artifact(tmp_path / "x", "tokens")
    assert open_artifact(tmp_path / "x", "pages|documents").kind == "documents"
    with pytest.raises(ArtifactError, match='"nope" is missing'):
        open_artifact(tmp_path / "x").file("nope")
    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text())
    write_json(tmp_path / "x" / "manifest.json", manifest | {"schema_version": 99})
    with pytest.raises(ArtifactError, match="schema 99"):
        open_artifact(tmp_path / "x")
    (tmp_path / "x" / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        open_artifact(tmp_path / "x")


def test_a_hash_of_files_sees_names_and_bytes(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/x").write_text("12")
    (tmp_path / "a").write_text("3")
    assert files_of(tmp_path) == [tmp_path / "a", tmp_path / "b/x"] and files_of(tmp_path / "a") == [tmp_path / "a"]
    first = hash_files(files_of(tmp_path), tmp_path)
    assert first == payload_hash(tmp_path)
    (tmp_path / "b/x").write_text("1")
    (tmp_path / "a").write_text("23")
    assert hash_files(files_of(tmp_path), tmp_path) != first
    (tmp_path / "b/x").write_text("12")
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "c").write_text("3")
    assert hash_files(files_of(tmp_path), tmp_path) != first


@pytest.mark.parametrize(
    ("folder", "name"), [("02-clean", "clean"), ("103-a-b", "a-b"), ("fineweb-edu", "fineweb-edu"), ("2-x", "2-x")]
)
def test_the_name_is_the_stage_without_its_number(tmp_path, folder, name):
    assert Artifact(tmp_path / folder, Manifest("documents")).name == name

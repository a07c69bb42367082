"""`hornbook clean` says first, frees then, and never touches what is finished."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toys import put_toys

from hornbook.cli.main import command
from hornbook.pipeline.runlock import only_writer


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch):
    put_toys(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    assert command(["run", "toy.toml"]) == 0
    folder = tmp_path / "runs" / "toy"
    (folder / "03-c.partial").mkdir()
    (folder / "03-c.partial" / "half").write_bytes(b"x" * 2000)
    (folder / "09-gone").mkdir()
    (folder / "09-gone" / "part").write_bytes(b"x" * 1000)
    (folder / ".01-a.old").mkdir()
    (folder / "01-a" / ".resume").mkdir()
    return folder


def listed(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_dry_run_only_says(run, capsys):
    before = listed(run)
    capsys.readouterr()
    assert command(["clean", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert listed(run) == before
    assert "2 kB" in said and "3 kB  in all" in said and "begins anew" in said and "no longer has" in said


def test_freeing_keeps_what_is_finished(run):
    assert command(["clean", "--yes"]) == 0
    found = listed(run)
    assert {"01-a/words.txt", "02-b/manifest.json", "report.html", "recipe.lock.toml"} <= set(found)
    assert not [name for name in found if ".partial" in name or "gone" in name or ".old" in name or ".resume" in name]
    assert command(["run", "toy.toml"]) == 0


def test_it_asks_and_no_changes_nothing(run, monkeypatch, capsys):
    import io

    before = listed(run)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert command(["clean"]) == 0
    assert "Nothing was changed." in capsys.readouterr().out and listed(run) == before


def test_a_run_that_is_running_is_left_alone(run, capsys):
    before = listed(run)
    with only_writer(run):
        assert command(["clean", "--yes"]) == 0
    assert "running now, left alone" in capsys.readouterr().out
    assert [name for name in listed(run) if name != ".running"] == [name for name in before if name != ".running"]


def test_the_cache_only_when_asked(run, tmp_path, capsys):
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache" / "probe.json").write_text("{}")
    assert command(["clean", "--yes"]) == 0 and (tmp_path / "cache" / "probe.json").exists()
    assert command(["clean", "--yes", "--cache"]) == 0 and not (tmp_path / "cache" / "probe.json").exists()
    capsys.readouterr()
    assert command(["clean", "toy"]) == 0 and "nothing to free" in capsys.readouterr().out


def test_an_unknown_run(capsys):
    assert command(["clean", "tyo"]) == 2 and 'did you mean "toy"' in capsys.readouterr().err

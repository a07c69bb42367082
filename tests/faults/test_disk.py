"""A disk that is full or fills up: one sentence, exit code 1, everything finished kept, nothing half-named."""

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hornbook.cli.main import command

STAGE = '''"""Write bytes."""
from hornbook.core.settings import StrictSettings

READS = {"before": "truth?"}
WRITES = "truth"
VERSION = 1


class Settings(StrictSettings):
    num_bytes: int = 1000
    """How many."""
    disk_bytes: int = 0
    """What the plan is told it needs."""


def resolve(settings, *, probe, hints):
    return settings, {"disk_bytes": settings.disk_bytes}


def run(settings, inputs, out):
    with (out.path / "part.bin").open("wb") as file:
        for _ in range(settings.num_bytes // 1000):
            file.write(b"x" * 1000)
            file.flush()
'''
RECIPE = (
    'name = "big"\n[[stage]]\nid = "a"\nrun = "./big.py"\n[[stage]]\nid = "b"\nrun = "./big.py"\nread.before = "a"\n'
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("hornbook.pipeline.plan.measure_machine", lambda _machine: None)
    (tmp_path / "big.py").write_text(STAGE)
    (tmp_path / "r.toml").write_text(RECIPE)
    return tmp_path


def test_too_little_space_is_refused_before_the_stage_begins(capsys, here):
    free = shutil.disk_usage(here).free
    assert command(["run", "r.toml", "--set", f"b.disk_bytes={free * 2}"]) == 1
    err = capsys.readouterr().err
    assert "free and this stage needs about" in err and "hornbook clean" in err and "Traceback" not in err
    assert (here / "runs/big/01-a/manifest.json").exists() and not list((here / "runs/big").glob("02-b*"))


def test_a_disk_that_fills_up_while_a_stage_writes(capsys, here, monkeypatch):
    text = STAGE.replace("            file.flush()", "            raise OSError(28, 'No space left on device')")
    (here / "big.py").write_text(text)
    assert command(["run", "r.toml", "--json"]) == 1
    out, err = capsys.readouterr()
    assert 'the disk is full (stage "a" (./big.py)). Nothing finished is lost' in err and "Traceback" not in err
    assert json.loads(out.splitlines()[-1])["state"] == "failed"
    assert not (here / "runs/big/01-a").exists()


def test_a_disk_that_is_full_for_the_manifest_leaves_no_final_name(capsys, here, monkeypatch):
    from hornbook.core import artifact

    def full(path, value):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(artifact, "write_json", full)
    assert command(["run", "r.toml"]) == 1
    assert "the disk is full" in capsys.readouterr().err
    assert not (here / "runs/big/01-a").exists() and (here / "runs/big/01-a.partial").exists()
    monkeypatch.undo()


def test_a_limit_on_file_size_ends_a_run_in_a_sentence(here):
    """RLIMIT_FSIZE makes the real write fail as a quota does; the next run without it finishes."""
    words = [sys.executable, "-m", "hornbook.cli.main", "run", "r.toml", "--set", "a.num_bytes=3000000"]

    def limited() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(words, capture_output=True, text=True, env=os.environ, preexec_fn=limited, check=False)
    assert done.returncode == 1 and "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert not (here / "runs/big/01-a").exists()
    assert command(["run", "r.toml", "--set", "a.num_bytes=3000000"]) == 0


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 40 MB, where this process may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a tmpfs here; the limit on file size is tested instead")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_really_full_disk(small_disk, capsys):
    words = ["run", "r.toml", "--runs", str(small_disk), "--set", "b.num_bytes=60000000"]
    assert command(words) == 1
    assert "the disk is full" in (err := capsys.readouterr().err) and "Traceback" not in err
    assert (small_disk / "big/01-a/manifest.json").exists() and not (small_disk / "big/02-b").exists()
    assert command(["clean", str(small_disk / "big"), "--yes"]) == 0
    assert command([*words[:-1], "b.num_bytes=1000"]) == 0


def test_a_disk_too_full_for_anything(small_disk, capsys):
    (small_disk / "filler").write_bytes(b"x" * 39_900_000)
    assert command(["run", "r.toml", "--runs", str(small_disk)]) == 1
    err = capsys.readouterr().err
    assert "hornbook: the disk " in err and "Traceback" not in err
    assert not list((small_disk / "big").glob("[0-9]*"))

"""The command itself: help, dispatch, exit codes, and nothing imported too early."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hornbook.cli import main
from hornbook.cli.main import VERBS, command, overview
from hornbook.core.errors import ArtifactError, DataError

HELP_ROWS, HELP_COLUMNS = 40, 100


def test_help_fits_a_screen_and_names_every_verb(capsys):
    for words in ([], ["--help"], ["-h"], ["help"]):
        assert command(words) == 0
        assert capsys.readouterr().out.strip() == overview().strip()
    lines = overview().splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= HELP_COLUMNS
    assert all(f"  {verb} " in overview() for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_fits_a_screen(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(HELP_COLUMNS))
    assert command([verb, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= HELP_ROWS and max(map(len, lines)) <= HELP_COLUMNS
    assert lines[0].startswith(f"Usage: hornbook {verb}")


def test_every_verb_has_its_file_and_function():
    import importlib

    for verb in VERBS:
        assert callable(getattr(importlib.import_module(f"hornbook.cli.{verb}"), verb))
        assert (Path(main.__file__).parent / f"{verb}.py").exists()


def test_an_unknown_verb_and_option(capsys):
    assert command(["rnu"]) == 2 and "did you mean `hornbook run`?" in capsys.readouterr().err
    assert command(["xyzzy"]) == 2 and "--help" in capsys.readouterr().err
    assert command(["run", "--nope"]) == 2
    said = capsys.readouterr().err
    assert "No such option: --nope" in said and "hornbook run --help" in said
    assert command(["run"]) == 2 and "RECIPE" in capsys.readouterr().err


def test_version(capsys):
    from importlib.metadata import version

    assert command(["--version"]) == 0 and capsys.readouterr().out == f"hornbook {version('hornbook')}\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (DataError("it is wrong", where="a.txt", do="Mend it"), 2, "hornbook: it is wrong (a.txt). Mend it.\n"),
        (ArtifactError("the disk", exit_code=1), 1, "hornbook: the disk.\n"),
        (OSError(28, "No space left on device"), 1, "the disk is full"),
        (ZeroDivisionError("by nought"), 1, "unexpected ZeroDivisionError: by nought"),
        (KeyboardInterrupt(), 130, "Stopped.\n"),
    ],
)
def test_every_failure_is_a_sentence_with_its_code(error, code, said, monkeypatch, capsys):
    def fails(verb, words):
        raise error

    monkeypatch.setattr(main, "call_verb", fails)
    assert command(["run", "x"]) == code
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    if isinstance(error, ZeroDivisionError):
        assert command(["run", "x", "--debug"]) == 1 and "Traceback" in capsys.readouterr().err
        monkeypatch.setenv("HORNBOOK_DEBUG", "1")
        assert command(["run", "x"]) == 1 and "Traceback" in capsys.readouterr().err


def test_help_imports_next_to_nothing_and_is_fast():
    """Under 0.3 s warm (median of 5); measured 0.02 s, so 0.15 leaves room for a busy machine."""
    code = "import sys; from hornbook.cli.main import command; command(['--help']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))
    assert not loaded & {"typer", "rich", "torch", "numpy", "pydantic", "pyarrow", "hornbook.core.recipe"}
    script = Path(sys.executable).parent / "hornbook"
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([script, "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    assert statistics.median(times) < (1.5 if busy else 0.3), times


def test_a_reader_that_goes_away_is_no_error():
    script = Path(sys.executable).parent / "hornbook"
    done = subprocess.run(f"{script} stages | head -1", shell=True, capture_output=True, text=True, check=True)
    assert done.stdout and not done.stderr

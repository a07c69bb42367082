"""`hornbook run` as a user meets it: words, the last line of --json, exit codes."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from toys import put_toys

from hornbook.cli.main import command


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    put_toys(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def last(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_run_says_what_it_does_and_where_the_report_is(capsys):
    assert command(["run", "toy.toml"]) == 0
    out, err = capsys.readouterr()
    assert "01-a: ./words.py" in err and "02-b: truth in" in err
    assert "runs/toy: complete" in out and "Report: runs/toy/report.html" in out and "chat" not in out


def test_a_run_asked_for_in_part_says_so(capsys):
    assert command(["run", "toy.toml", "--until", "a"]) == 0
    assert 'runs/toy: complete up to "a" in' in capsys.readouterr().out
    assert command(["look", "runs/toy"]) == 0
    assert "runs/toy: waiting, 1 of 2 stages complete" in capsys.readouterr().out


def test_the_last_line_of_json_is_one_document(capsys):
    assert command(["run", "toy.toml", "--json"]) == 0
    document = last(capsys)
    assert document["state"] == "complete" and document["exit_code"] == 0 and document["error"] is None
    assert [(s["id"], s["outcome"], s["kind"]) for s in document["stages"]] == [
        ("a", "built", "truth"),
        ("b", "built", "truth"),
    ]
    assert document["stages"][0]["counts"] == {"words": 3} and Path(document["report"]).exists()
    assert command(["run", "toy.toml", "--json", "--force", "b"]) == 0
    assert [stage["outcome"] for stage in last(capsys)["stages"]] == ["skipped", "built"]


@pytest.mark.parametrize(
    ("how", "code", "state"), [("data", 2, "failed"), ("bug", 1, "failed"), ("stop", 130, "stopped")]
)
def test_failures_are_a_paragraph_a_document_and_a_code(how, code, state, capsys):
    assert command(["run", "toy.toml", "--json", "--set", f"b.fail={how}"]) == code
    out, err = capsys.readouterr()
    document = json.loads(out.splitlines()[-1])
    assert (document["state"], document["exit_code"]) == (state, code)
    assert document["stages"][-1] | {"duration_s": 0} == {
        "id": "b", "stage": "./words.py", "outcome": state, "path": "runs/toy/02-b", "duration_s": 0,
    }  # fmt: skip
    assert "Traceback" not in err
    if how == "stop":
        assert "Go on with: " in err
    else:
        assert 'stage "b" (./words.py)' in err and len(err.split("hornbook: ")[1].splitlines()) == 1


def test_a_mistake_before_the_run_is_a_document_too(capsys):
    assert command(["run", "toy.toml", "--json", "--set", "b.cuont=1"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["state"] == "failed" and 'did you mean "count"' in json.loads(out)["error"]
    assert 'did you mean "count"' in err and not Path("runs").exists()


def test_debug_shows_the_traceback_of_the_stage(capsys):
    assert command(["run", "toy.toml", "--debug", "--set", "b.fail=bug"]) == 1
    assert "words.py" in (err := capsys.readouterr().err) and "ZeroDivisionError: by nought" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_clean_stop_that_says_how_to_go_on(number):
    text = Path("words.py").read_text()
    wait = "[time.sleep(0.05) for _ in range(400)]"  # a signal just before one long sleep is seen when that has ended
    slow = text.replace("    (out.path", f"    import time; print('begun', flush=True); {wait}\n    (out.path")
    Path("words.py").write_text(slow)
    script = Path(sys.executable).parent / "hornbook"
    process = subprocess.Popen([script, "run", "toy.toml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    started = time.monotonic()
    _, err = process.communicate(timeout=15)
    assert time.monotonic() - started < 10 and process.returncode == 130
    assert f"Stopped cleanly. Go on with: {'hornbook'} run toy.toml" in err and "Traceback" not in err
    assert json.loads(Path("runs/toy/state.json").read_text())["state"] == "stopped"
    Path("words.py").write_text(text)
    assert command(["run", "toy.toml"]) == 0

import io
import json

import pytest

from hornbook.core.runlog import RunLog


def test_plain_lines_and_files_for_another_terminal(tmp_path):
    stream = io.StringIO()
    log = RunLog(tmp_path, stream)
    log.line("hello [not markup]")
    with log.task("read", total=10, unit="docs") as task:
        task.advance(4, loss=1.25)
    log.event("threads", count=1)
    assert stream.getvalue() == "hello [not markup]\n"
    state = json.loads((tmp_path / "progress.json").read_text())
    assert state["label"] == "read" and state["done"] == 4 and state["total"] == 10 and state["info"] == {"loss": 1.25}
    records = [json.loads(line) for line in (tmp_path / "run.log").read_text().splitlines()]
    assert records[0]["line"] == "hello [not markup]" and records[-1]["event"] == "threads"


def test_time_left_follows_the_rate_of_this_process(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("hornbook.core.runlog.time.monotonic", lambda: clock[0])
    log = RunLog(quiet=True)
    with log.task("train", total=1000, unit="tokens") as task:
        task.resume_at(500)
        assert task.left_s is None
        clock[0] += 10
        task.advance(100)
        assert task.rate == pytest.approx(10) and task.left_s == pytest.approx(40)
        assert task.text() == "train: 600/1k tokens  60%  10/s  40 s left"


def test_lines_come_only_every_few_seconds(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("hornbook.core.runlog.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    with RunLog(None, stream).task("x", total=100) as task:
        for _ in range(12):
            clock[0] += 1
            task.advance()
    shown = stream.getvalue().splitlines()
    assert [line.split("  ")[0] for line in shown] == ["x: 5/100 items", "x: 10/100 items", "x: 12 items in 12 s"]


def test_quiet_says_nothing(capsys):
    log = RunLog(quiet=True)
    log.line("x")
    with log.task("t"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    log = RunLog(None, stream)
    with log.task("encode", total=4, unit="docs") as task:
        task.advance(4)
        log.line("between")
    assert "encode" in stream.getvalue() and "between" in stream.getvalue()

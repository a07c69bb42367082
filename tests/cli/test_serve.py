"""`hornbook serve` as a process: banner, an answer, Ctrl-C; and mistakes."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from hornbook.cli.main import command

sys.path.insert(0, str(Path(__file__).parents[1] / "serve"))
from tiny_model import tiny_folder


def test_serves_until_ctrl_c_even_while_answering(tmp_path: Path) -> None:
    words = ["serve", str(tiny_folder(tmp_path)), "--port", "0", "--eager", "--name", "mine", "--api-key", "k3y"]
    process = subprocess.Popen(
        [sys.executable, "-m", "hornbook.cli.main", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None and process.stderr is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said += line
    base = re.search(r"base_url +(http://127\.0\.0\.1:\d+/v1)", said)
    assert base is not None and "model       mine" in said and "k3y" not in said
    body = {"messages": [{"role": "user", "content": "hi"}], "stream": True, "n": 8}
    headers = {"Authorization": "Bearer k3y"}
    with httpx.stream("POST", f"{base[1]}/chat/completions", json=body, headers=headers) as reply:
        next(reply.iter_bytes())
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    with process:  # closes its pipes
        assert process.wait(15) == 0
        assert "Stopped." in rest
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing-here"], 'no run or checkpoint "nothing-here"'),
        (["x", "--port", "99999"], "hornbook serve --help"),
        (["x", "--port", "many"], "--port"),
        (["x", "--slots", "0"], "num_slots"),
        (["x", "--host", "0.0.0.0"], "--open-to-all"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["serve", *words]) == 2
    out = capsys.readouterr()
    assert said in out.err and "Traceback" not in out.err and out.out == ""

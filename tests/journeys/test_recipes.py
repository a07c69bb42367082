"""Every shipped recipe in its smoke profile, from pages to an answer over HTTP, and every command of the documents."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.documents import ROOT, said_by

HORNBOOK = [sys.executable, "-m", "hornbook.cli.main"]


SMALLEST = {
    "run demo": "run demo --profile smoke --set machine.threads=1",
    "new mine": "new mine texts",
    "run mine.toml": "run mine.toml --set machine.threads=1 --set base.budget= --set base.total_tokens=4096"
    " --set base.model=tiny --set base.loop.compile=false --set base.batch_rows=1 --set base.row_tokens=64"
    " --set tokenizer.vocab_size=300",
    "run runs/NAME": "run runs/demo",
    "run web": "run web --profile smoke",
    "why runs/mine": "why runs/mine fox",
    "readings RUN": "readings runs/demo",
    "compare": "compare runs/mine runs/demo",
    "chat": "chat runs/demo",
}
"""How commands of the documents that are long, or leave something to the reader, are begun here."""


def run(folder: Path, *words: str, timeout_s: float = 240, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HORNBOOK_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*HORNBOOK, *words],
        cwd=folder,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def test_every_recipe_has_a_smoke_profile():
    for recipe in (ROOT / "recipes").glob("*.toml"):
        assert "[profile.smoke]" in recipe.read_text(), f"{recipe.name} has no smoke profile, so nothing tests it"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    done = run(folder, "run", "demo", "--profile", "smoke", "--set", "machine.threads=1", "--json")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_the_demo_ends_with_scores_and_a_report(demo):
    folder, result = demo
    assert result["state"] == "complete" and all(stage["outcome"] == "built" for stage in result["stages"])
    run_folder = folder / result["run"]
    scores = json.loads(next(run_folder.glob("*-scores/scores.json")).read_text())["scores"]
    names = {score["name"] for score in scores}
    assert {"facts_heldout", "invented_names", "unstated_test", "stories"} <= {name.split(".")[0] for name in names}
    assert all(score["num_cases"] > 0 and score["low"] <= score["value"] <= score["high"] for score in scores)
    report = (run_folder / "report.html").read_text()
    assert len(report) > 5000 and not re.search(r"<(script|link|img)[^>]+(src|href)=[\"']https?://", report)


def test_running_again_skips_everything_and_changes_nothing(demo):
    folder, first = demo
    again = run(folder, "run", "demo", "--profile", "smoke", "--set", "machine.threads=1", "--json")
    assert again.returncode == 0, again.stderr
    second = json.loads(again.stdout.splitlines()[-1])
    assert {stage["outcome"] for stage in second["stages"]} == {"skipped"}
    assert [s["payload_hash"] for s in first["stages"]] == [s["payload_hash"] for s in second["stages"]]


def test_one_can_chat_with_the_demo_in_a_terminal(demo):
    folder, result = demo
    asked = run(folder, "chat", result["run"], "--prompt", "Who are you?")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip()


def test_the_demo_answers_over_http(demo):
    folder, result = demo
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [*HORNBOOK, "serve", result["run"], "--port", str(port)],
        cwd=folder,
        env=os.environ | {"HORNBOOK_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        reply = ask(f"http://127.0.0.1:{port}/v1/chat/completions")
        assert reply["choices"][0]["message"]["role"] == "assistant"
        assert reply["usage"]["completion_tokens"] > 0
    finally:
        server.terminate()
        server.wait(timeout=30)


def test_stories_from_a_text_file(tmp_path):
    folder = tmp_path / "tinystories"
    folder.mkdir()
    (folder / "train.txt").write_text(foxes(range(380)))
    (folder / "valid.txt").write_text(foxes(range(380, 400)))
    words = ("run", "stories", "--profile", "smoke", "--set", "machine.threads=1", "--set", "tokenizer.vocab_size=300")
    done = run(tmp_path, *words, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    scores = json.loads(next((tmp_path / result["run"]).glob("*-bits/scores.json")).read_text())["scores"]
    bits = next(score for score in scores if "bits" in score["name"])
    # one template with a free number: far below what the frequencies of bytes give
    assert 0.02 < bits["value"] < 0.5 * bits["baseline"], bits


def test_the_web_recipe_has_every_data_step_and_says_why_a_page_went(tmp_path):
    done = run(tmp_path, "run", "web", "--profile", "smoke", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    stages = [stage["stage"] for stage in result["stages"]]
    assert len(stages) == 18 and "data.atlas" in stages and stages[-1] == "tokenizer.encode"
    folder = tmp_path / result["run"]
    truth = [row for file in (folder / "02-pages/truth").glob("*") for row in pq.read_table(file).to_pylist()]
    gone = [row for file in (folder / "06-unique/dropped").glob("*") for row in pq.read_table(file).to_pylist()]
    copy = next(row["url"] for row in truth if row["duplicate_of"] and row["url"] in {d["url"] for d in gone})
    why = run(tmp_path, "why", result["run"], copy)
    assert why.returncode == 0 and "dropped by dedup." in why.stdout and "The copy that was kept instead" in why.stdout
    look = run(tmp_path, "look", result["run"], "--dropped", "--rule", "dedup.exact")
    assert look.returncode == 0 and "dedup.exact" in look.stdout
    assert (folder / "16-map/atlas.html").stat().st_size > 50_000


def ask(address: str, patience_s: float = 60.0) -> dict:
    body = {"model": "", "messages": [{"role": "user", "content": "Hello!"}], "max_tokens": 8}
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(request, timeout=patience_s) as reply:
                return json.load(reply)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def test_every_command_in_the_documents_does_what_it_says(demo):
    """As a reader would type them, in the order of reading; `SMALLEST` says which are made smaller."""
    folder, result = demo
    (folder / "runs/demo").symlink_to((folder / result["run"]).resolve(), target_is_directory=True)
    (folder / "texts").mkdir()
    (folder / "texts/foxes.txt").write_text(foxes(range(400)))
    commands = list(dict.fromkeys(command for _, command in said_by("hornbook")))
    assert len(commands) > 12
    for command in commands:
        words = shlex.split(as_run(command.removeprefix("hornbook").strip()))
        if words[:1] == ["serve"]:
            serve_and_stop(folder, words)
            continue
        done = run(folder, *words, text="Hello!\n" if "chat" in words else "y\n")
        assert done.returncode == 0 and done.stdout.strip(), f"{command}\n{done.stdout}{done.stderr}"


def as_run(command: str) -> str:
    """A documented command at its smallest."""
    longest = max((key for key in SMALLEST if command.startswith(key)), key=len, default=None)
    return command if longest is None else SMALLEST[longest]


def serve_and_stop(folder: Path, words: list[str]) -> None:
    """A server that says where it is, answers there, and ends well when it is stopped."""
    environment = os.environ | {"HORNBOOK_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [*HORNBOOK, *words, "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = iter(server.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://127.0.0.1:\d+", line)))
        assert ask(f"{address}/v1/chat/completions")["choices"]
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=60) == 0


@pytest.mark.parametrize("command", dict.fromkeys(command for _, command in said_by("make")))
def test_every_make_target_in_the_documents_is_whole(command):
    """Dry: the tests themselves and the recipes are run elsewhere; what a target needs must exist."""
    done = subprocess.run([*shlex.split(command), "-n"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr


def foxes(numbers: range) -> str:
    """Short stories, parted as TinyStories are."""
    stories = (f"Once there was a fox named F{i}. The fox had {i} red balls and played in the sun." for i in numbers)
    return "\n<|endoftext|>\n".join(stories)

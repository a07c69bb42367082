"""Every shipped recipe in its smoke profile, from pages to an answer over HTTP, driven as a user drives it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HORNBOOK = [sys.executable, "-m", "hornbook.cli.main"]


def run(folder: Path, *words: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HORNBOOK_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*HORNBOOK, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
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
    lines = [f"Once there was a fox named F{i}. The fox had {i} red balls and played in the sun." for i in range(400)]
    for name, part in (("train.txt", lines[:380]), ("valid.txt", lines[380:])):
        (folder / name).write_text("\n<|endoftext|>\n".join(part))
    words = ("run", "stories", "--profile", "smoke", "--set", "machine.threads=1", "--set", "tokenizer.vocab_size=300")
    done = run(tmp_path, *words, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    scores = json.loads(next((tmp_path / result["run"]).glob("*-bits/scores.json")).read_text())["scores"]
    bits = next(score for score in scores if "bits" in score["name"])
    # one template with a free number: far below what the frequencies of bytes give
    assert 0.02 < bits["value"] < 0.5 * bits["baseline"], bits


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

"""`hornbook plan` on toy stages: states, derived values, totals, and every mistake before anything is written."""

import json
from pathlib import Path

import pytest

from hornbook.cli.main import command
from hornbook.cli.plan import readable

STAGE = '''"""Stage words: writes a few words."""
from hornbook.core.settings import StrictSettings

READS = {}
WRITES = "truth"
VERSION = 1


class Settings(StrictSettings):
    """What to write."""

    count: int = 3
    """How many words."""


def resolve(settings, *, probe, hints):
    return settings, {
        "parameters": 3_200_000, "flops": 2e12, "seconds": 90.0 * settings.count, "memory_bytes": 5_000_000,
        "disk_bytes": DISK, "model": "8 layers",
    }


def run(settings, inputs, out):
    (out.path / "words.txt").write_text("word " * settings.count)
'''
RECIPE = 'name = "toy"\n[[stage]]\nid = "a"\nrun = "./words.py"\n[[stage]]\nid = "b"\nrun = "./words.py"\ncount = 1\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    probe = SimpleNamespace(device="cpu", fp32_gflops=150.0, bf16_gflops=1300.0)
    monkeypatch.setattr("hornbook.pipeline.plan.measure_machine", lambda machine: probe)
    Path("words.py").write_text(STAGE.replace("DISK", "44_000_000"))
    Path("toy.toml").write_text(RECIPE)


def test_values_are_readable_and_estimates_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["plan", "toy.toml"]) == 0
    out = capsys.readouterr().out
    assert "parameters 3.2M" in out and "model 8 layers" in out
    assert "time ~4m 30s" in out and "disk ~44 MB" in out and "FLOPs ~2.00e+12" in out
    assert "fp32 150, bf16 1,300 GFLOP/s" in out
    assert "To do: 2 of 2 stages; FLOPs ~4.00e+12, time ~6m 00s, disk ~88 MB, memory ~5 MB" in out
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("seconds", 570.0, "time ~9m 30s"),
        ("tokens", 1_290_000, "tokens 1.29M"),
        ("epochs", 0.63, "epochs ~0.63"),
        ("epochs", "unknown", "epochs unknown"),
        ("memory_bytes", 755e6, "memory ~755 MB"),
    ],
)
def test_readable(name: str, value: object, text: str) -> None:
    assert readable(name, value) == text


def test_states_follow_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", "toy.toml", "--until", "a"]) == 0
    capsys.readouterr()
    assert command(["plan", "toy.toml", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [stage["state"] for stage in plan["stages"]] == ["done", "new"]
    assert plan["totals"]["seconds"] == 90.0
    assert command(["plan", "toy.toml", "--set", "a.count=2", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert [stage["state"] for stage in plan["stages"]] == ["changed", "new"]
    assert plan["totals"]["seconds"] == 270.0


@pytest.mark.parametrize(
    ("change", "said"),
    [("a.cuont=3", 'did you mean "count"'), ('a.count="x"', "count"), ("c.count=3", 'no stage has the id "c"')],
)
def test_mistakes_exit_with_2(change: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["plan", "toy.toml", "--set", change]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.out == "" and not Path("runs").exists()
    assert command(["plan", "toy.toml", "--set", change, "--json"]) == 2
    assert said in json.loads(capsys.readouterr().out)["error"]


def test_a_full_disk_is_said_before(capsys: pytest.CaptureFixture[str]) -> None:
    Path("words.py").write_text(STAGE.replace("DISK", "10**18"))
    assert command(["plan", "toy.toml"]) == 1
    assert "does not fit" in capsys.readouterr().out

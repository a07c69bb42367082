"""`hornbook doctor`: a line for each thing, advice where something is missing, exit code 1 only for essentials."""

import json
from pathlib import Path

import pytest

from hornbook.cli import doctor
from hornbook.cli.main import command


@pytest.fixture(autouse=True)
def no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr("hornbook.compute.probe.SECONDS", 0.0)


def test_a_line_for_each_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["doctor", "--json"]) == 0
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert list(checks) == ["python", "packages", "cpu", "speed", "compiler", "memory", "disk", "cache", "chromium"]
    assert "torch 2." in checks["packages"]["found"] and "GFLOP/s" in checks["speed"]["found"]
    assert all(check["advice"] for check in checks.values() if check["state"] != "ok")


def test_no_compiler_is_advice_not_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert command(["doctor"]) == 0
    assert "install g++" in capsys.readouterr().out


def test_a_missing_package_is_essential(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["torch>=2", "no-such-package-here>=1", 'other-missing; extra == "dev"']
    monkeypatch.setattr("importlib.metadata.requires", lambda name: wanted)
    assert command(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "MISSING  packages" in out and "no-such-package-here" in out and "other-missing" not in out


def test_a_cache_that_cannot_be_made_is_essential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "file" / "cache"))
    check = doctor.check_cache()
    assert check.state == "missing" and "HORNBOOK_CACHE" in check.advice


def test_little_disk_and_memory_bring_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.compute.cpu.memory_bytes", lambda: 1_000_000_000)
    assert doctor.check_memory().state == "advice"
    monkeypatch.setattr(doctor, "MIN_DISK_BYTES", 1e18)
    assert doctor.check_disk().state == "advice"

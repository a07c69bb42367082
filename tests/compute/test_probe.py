import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hornbook.compute import probe

KNOWN = probe.Probe("cpu", "Example", 2, 190.0, 430.0, 8 * 10**9, 2, time.time())


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "cpu_name", lambda: "Example")
    monkeypatch.setattr(probe, "num_cores", lambda: 2)


def test_measured_once_for_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    monkeypatch.setattr(probe, "measure", lambda: measured.append(1) or KNOWN)
    assert probe.load_or_measure(tmp_path) == probe.load_or_measure(tmp_path) == KNOWN
    assert len(measured) == 1
    monkeypatch.setattr(probe, "cpu_name", lambda: "Another")
    probe.load_or_measure(tmp_path)
    assert len(measured) == 2


@pytest.mark.parametrize("kept", ["{", "[]", '{"unknown": 1}', json.dumps({**KNOWN.__dict__, "measured_at": 0.0})])
def test_a_damaged_or_old_probe_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str) -> None:
    (tmp_path / "probe.json").write_text(kept)
    monkeypatch.setattr(probe, "measure", lambda: KNOWN)
    assert probe.load_or_measure(tmp_path) == KNOWN
    assert json.loads((tmp_path / "probe.json").read_text())["cpu_name"] == "Example"


def test_the_faster_format() -> None:
    assert (KNOWN.dtype, KNOWN.peak_flops) == ("bf16", 430e9)
    assert replace(KNOWN, bf16_gflops=100.0).dtype == "fp32" and replace(KNOWN, bf16_gflops=0.0).peak_flops == 190e9


def test_a_real_measurement_is_short_and_restores_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(probe, "SECONDS", 0.02)
    start = time.monotonic()
    found = probe.measure()
    assert time.monotonic() - start < 6 and torch.get_num_threads() == before
    assert 0.1 < found.fp32_gflops < 1e6 and found.threads in (1, 2)

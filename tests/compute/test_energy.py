from pathlib import Path

import pytest

from hornbook.compute import energy


def test_an_estimate_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cores at 10 W for an hour: 20 Wh, 8.9 g of CO2."""
    monkeypatch.setattr(energy, "_rapl_files", list)
    monkeypatch.setattr(energy, "num_cores", lambda: 2)
    now = [0.0]
    monkeypatch.setattr(energy.time, "monotonic", lambda: now[0])
    meter = energy.Meter()
    now[0] = 3600.0
    read = meter.read()
    assert (read.method, read.seconds, read.wh) == ("estimate", 3600.0, 20.0)
    assert read.grams_co2 == pytest.approx(8.9)


def test_counters_are_read_and_may_wrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """36 J and a wrap of 36 J: 72 J are .02 Wh."""
    files = []
    for number, value in enumerate((1_000_000, 90_000_000)):
        file = tmp_path / f"intel-rapl:{number}" / "energy_uj"
        file.parent.mkdir()
        file.write_text(f"{value}\n")
        file.with_name("max_energy_range_uj").write_text("100000000\n")
        files.append(file)
    monkeypatch.setattr(energy, "_rapl_files", lambda: files)
    meter = energy.Meter()
    files[0].write_text("37000000\n")
    files[1].write_text("26000000\n")
    read = meter.read()
    assert read.method == "rapl" and read.wh == pytest.approx(0.02)

from pathlib import Path

import pytest

from hornbook.compute import cpu


def test_this_machine_has_a_name_cores_and_memory() -> None:
    assert cpu.cpu_name() and cpu.num_cores() >= 1
    if Path("/proc/meminfo").exists():
        assert 10**7 < cpu.memory_bytes() < 10**15


def test_fields_of_cpuinfo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor : 0\nmodel name : Example 9000\nflags : fpu avx2 avx512f avx512_bf16\n")
    monkeypatch.setattr(cpu, "Path", lambda _: file)
    assert cpu.cpu_name() == "Example 9000 (avx512_bf16)"
    assert cpu.cpu_flags() == {"fpu", "avx2", "avx512f", "avx512_bf16"}

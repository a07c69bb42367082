"""What processor this is."""

import os
import platform
from pathlib import Path


def cpu_name() -> str:
    """The processor's name as it gives it itself, with the features that decide matrix speed."""
    name = _field("model name") or platform.processor() or platform.machine()
    features = [f for f in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if f in cpu_flags()]
    return f"{name} ({features[0]})" if features else name


def cpu_flags() -> frozenset[str]:
    """Instruction-set flags; empty where the system does not list them."""
    return frozenset(_field("flags").split())


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory that could be had now (0 when the system does not say)."""
    file = Path("/proc/meminfo")
    if not file.exists():
        return 0
    for line in file.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _field(name: str) -> str:
    file = Path("/proc/cpuinfo")
    if not file.exists():
        return ""
    for line in file.read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""

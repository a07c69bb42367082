"""Energy of a piece of work: read from the processor's counters where they can be read, else estimated."""

import time
from dataclasses import dataclass
from pathlib import Path

from hornbook.compute.cpu import num_cores

WATTS_PER_CORE = 10.0
"""Assumed power of one busy core with its share of memory (a server socket: 200-300 W over 24-32 cores)."""
GRAMS_CO2_PER_KWH = 445.0
"""World average of electricity in 2024. Source: IEA, Electricity 2025."""


@dataclass(frozen=True)
class Energy:
    """`method` is `rapl` (measured, package domain) or `estimate`."""

    seconds: float
    wh: float
    grams_co2: float
    method: str


class Meter:
    """Starts counting when made; `read` says what has been used since."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()
        self._counters = {file: value for file in _rapl_files() if (value := _read(file)) is not None}

    def read(self) -> Energy:
        """Energy since the start."""
        seconds = time.monotonic() - self._start_s
        joules = [_since(file, before) for file, before in self._counters.items()]
        measured = bool(joules) and all(j is not None for j in joules)
        total = sum(j or 0.0 for j in joules) if measured else seconds * WATTS_PER_CORE * num_cores()
        wh = total / 3600
        return Energy(seconds, wh, wh / 1000 * GRAMS_CO2_PER_KWH, "rapl" if measured else "estimate")


def _rapl_files() -> list[Path]:
    return sorted(Path("/sys/class/powercap").glob("intel-rapl:[0-9]/energy_uj"))


def _read(file: Path) -> float | None:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return None


def _since(file: Path, before: float) -> float | None:
    """Joules since `before`; the counter wraps at `max_energy_range_uj`."""
    now, most = _read(file), _read(file.with_name("max_energy_range_uj"))
    if now is None or (now < before and most is None):
        return None
    return ((now - before) if now >= before else (most or 0.0) - before + now) / 1e6

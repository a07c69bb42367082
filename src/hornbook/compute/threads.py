"""How many threads: measured, because with a neighbour on one core two threads are ten times slower than one.

Source: measurements in `docs/decisions/compute-threads.md`: OpenMP barriers spin, so a core that is taken by another
process stalls every step.
"""

import time
from collections.abc import Callable

import torch

from hornbook.compute.cpu import num_cores


def choose_threads(step: Callable[[], object], trial_s: float = 1.0, most: int | None = None) -> int:
    """The faster of all cores and one, tried with `step` for about `trial_s` seconds altogether; it is then set.

    `step` runs at least three times (the first is not timed). Other counts are not tried: two settings cover quiet
    and shared machines.
    """
    most = most or num_cores()
    if most == 1:
        torch.set_num_threads(1)
        return 1
    torch.set_num_threads(most)
    step()
    speed = {count: _steps_per_s(step, count, trial_s / 2) for count in (most, 1)}
    best = most if speed[most] >= speed[1] else 1
    torch.set_num_threads(best)
    return best


def _steps_per_s(step: Callable[[], object], threads: int, seconds: float) -> float:
    torch.set_num_threads(threads)
    count, start = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        step()
        count += 1
    return count / (time.perf_counter() - start)

"""How many threads: measured, because with a neighbour on one core two threads are ten times slower than one.

Source: measurements in `docs/decisions/compute-threads.md`: OpenMP barriers spin, so a core that is taken by another
process stalls every step.
"""

import statistics
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from hornbook.compute.cpu import num_cores

TRIAL_STEPS = 6
"""Steps with each count before one is chosen; the first with each is not counted."""
ENOUGH_STEPS = 2
"""Steps with one thread after which a trial ends when they were slower than those with all."""
TRY_AGAIN_STEPS = 500
SLOWER = 1.5
ONE_IF_SLOWER = 1.3
"""All threads are kept unless their steps take so many times as long as steps with one: short trials are noisy."""
Result = TypeVar("Result")


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


def in_passing_thread(function: Callable[[], Result]) -> Result:
    """What the function returns (or raises), computed in a thread that ends with it.

    For work before another thread takes over: OpenMP keeps workers for each thread that ever computed, and with more
    workers than cores its barriers sleep. An engine whose model was loaded and tried in the main thread wrote 1,300
    tokens/s where it wrote 2,100 (`docs/decisions/compute-threads.md`).
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


class LiveThreads:
    """A like choice for a stream of steps that are all wanted: a few are done with all threads, two or a few with one.

    It is made again every 500 steps and when steps become 1.5 times as slow as they were. Steps are compared with steps
    of their own kind only (their shape, say).
    """

    def __init__(self, most: int | None = None) -> None:
        """`most`: threads beside one; None = what torch uses now."""
        self.most = most or torch.get_num_threads()
        self.count = self.most
        self._kind: Hashable = None
        self._trial: dict[int, list[float]] | None = {}
        self._typical_s: dict[Hashable, float] = {}
        self._recent: deque[float] = deque(maxlen=TRIAL_STEPS)
        self._steps = 0

    def run(self, kind: Hashable, step: Callable[[], Result]) -> Result:
        """Do one step with as many threads as are best now."""
        if self.most == 1:
            return step()
        if kind != self._kind:
            self._kind, self._trial = kind, None if self._trial is None else {}
            self._recent.clear()
        count = self._next()
        if torch.get_num_threads() != count:
            torch.set_num_threads(count)
        begin = time.perf_counter()
        result = step()
        seconds = time.perf_counter() - begin
        if self._trial is None:
            self._watch(seconds)
        else:
            self._try(self._trial, count, seconds)
        return result

    def _next(self) -> int:
        """The count to use: the one chosen, or in a trial the one that needs trying, the present one first."""
        if self._trial is not None and len(self._trial.get(self.count, ())) == TRIAL_STEPS:
            return 1 if self.count == self.most else self.most
        return self.count

    def _try(self, trial: dict[int, list[float]], count: int, seconds: float) -> None:
        trial.setdefault(count, []).append(seconds)
        with_one, with_all = trial.get(1, []), trial.get(self.most, [])
        if len(with_all) < TRIAL_STEPS or len(with_one) < ENOUGH_STEPS:
            return
        typical = {tried: statistics.median(times[1:]) for tried, times in trial.items()}
        if len(with_one) == TRIAL_STEPS or typical[1] > typical[self.most]:
            self.count = 1 if typical[self.most] > ONE_IF_SLOWER * typical[1] else self.most
            self._typical_s = {self._kind: typical[self.count]}
            self._trial, self._steps = None, 0

    def _watch(self, seconds: float) -> None:
        """Begin a new trial when steps of this kind have become slow, and now and then."""
        self._steps += 1
        self._recent.append(seconds)
        if len(self._recent) == TRIAL_STEPS:
            now_s = statistics.median(self._recent)
            usual_s = self._typical_s.setdefault(self._kind, now_s)
            if now_s > SLOWER * usual_s or self._steps >= TRY_AGAIN_STEPS:
                self._trial = {}
                self._recent.clear()

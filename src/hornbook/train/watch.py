"""Watching a run: numbers that are no numbers, a loss that jumps, steps that suddenly take longer."""

import math
import statistics
from collections import deque

from hornbook.core.errors import TrainingError

WINDOW_STEPS = 20
SLOWER = 2.0
SPIKE_DEVIATIONS = 6.0


def check_finite(loss: float, step: int) -> None:
    """Raise TrainingError when the loss is not a finite number."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss became {loss} at step {step}",
            do="Lower the learning rates (for example loop.optimizer.matrix_lr), or set loop.optimizer.clip = 1.0",
        )


class Spikes:
    """Notices a loss far above the recent ones (more than six typical deviations above their median)."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=WINDOW_STEPS)

    def jumped(self, loss: float) -> bool:
        """Take one step's loss; True when it is a spike. A spike does not count as recent."""
        if len(self._recent) == WINDOW_STEPS:
            middle = statistics.median(self._recent)
            deviation = statistics.median(abs(value - middle) for value in self._recent)
            if loss > middle + SPIKE_DEVIATIONS * max(deviation, 0.02 * abs(middle)):
                return True
        self._recent.append(loss)
        return False


class StepTimes:
    """Notices when steps have become much slower than they were: a neighbour took a core."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=WINDOW_STEPS)
        self._best_s = math.inf

    def slower(self, seconds: float) -> bool:
        """Take one step's time; True when the last steps were twice as slow as the best stretch."""
        self._recent.append(seconds)
        if len(self._recent) < WINDOW_STEPS:
            return False
        typical = statistics.median(self._recent)
        self._best_s = min(self._best_s, typical)
        if typical > SLOWER * self._best_s:
            self._recent.clear()
            return True
        return False

    def forget(self) -> None:
        """Begin again, after the number of threads has changed."""
        self._recent.clear()
        self._best_s = math.inf

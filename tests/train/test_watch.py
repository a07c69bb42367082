import math

import pytest

from hornbook.core.errors import TrainingError
from hornbook.train.watch import Spikes, StepTimes, check_finite


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_no_number_is_an_error_that_says_what_to_do(loss: float) -> None:
    with pytest.raises(TrainingError, match=r"step 7.*matrix_lr"):
        check_finite(loss, 7)
    check_finite(3.2, 7)


def test_spikes_stand_out_from_recent_noise() -> None:
    spikes = Spikes()
    assert not any(spikes.jumped(2.0 + 0.1 * (-1) ** step) for step in range(40))
    assert spikes.jumped(4.0)
    assert not spikes.jumped(2.4)
    assert spikes.jumped(4.0)


def test_slow_steps_are_noticed_once_and_one_slow_step_is_not() -> None:
    times = StepTimes()
    assert not any(times.slower(1.0 if step % 9 else 50.0) for step in range(60))
    found = [times.slower(2.5) for _ in range(20)]
    assert found.count(True) == 1
    times.forget()
    assert not any(times.slower(2.5) for _ in range(40))

import time

import pytest
import torch

from hornbook.compute.threads import choose_threads


@pytest.fixture(autouse=True)
def _threads_as_before() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("slow", "wanted"), [(2, 1), (1, 2)])
def test_the_faster_count_wins_and_is_set(slow: int, wanted: int) -> None:
    def step() -> None:
        time.sleep(0.02 if torch.get_num_threads() == slow else 0.002)

    assert choose_threads(step, trial_s=0.1, most=2) == wanted == torch.get_num_threads()


def test_the_first_step_is_not_timed() -> None:
    calls: list[int] = []

    def step() -> None:
        calls.append(torch.get_num_threads())
        time.sleep(0.2 if len(calls) == 1 else 0.002 if calls[-1] == 2 else 0.004)

    assert choose_threads(step, trial_s=0.05, most=2) == 2


def test_one_core_needs_no_trial() -> None:
    assert choose_threads(lambda: 1 / 0, most=1) == 1

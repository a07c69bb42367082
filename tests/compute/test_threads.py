import threading
import time

import pytest
import torch

from hornbook.compute.threads import (
    ENOUGH_STEPS,
    TRIAL_STEPS,
    TRY_AGAIN_STEPS,
    LiveThreads,
    choose_threads,
    in_passing_thread,
)


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


class Clock:
    """Time that passes in steps only: `cost[threads]` seconds each."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.cost = 0.0, {1: 1.0, 2: 1.0}
        monkeypatch.setattr("hornbook.compute.threads.time.perf_counter", lambda: self.now)

    def step(self) -> int:
        self.now += self.cost[torch.get_num_threads()]
        return torch.get_num_threads()


def test_live_steps_settle_on_the_faster_count_and_follow_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, live = Clock(monkeypatch), LiveThreads(most=2)
    clock.cost = {1: 2.0, 2: 1.0}
    used = [live.run("a", clock.step) for _ in range(50)]
    assert used == [2] * TRIAL_STEPS + [1] * ENOUGH_STEPS + [2] * (50 - TRIAL_STEPS - ENOUGH_STEPS)
    clock.cost = {1: 2.0, 2: 30.0}  # somebody took a core
    used = [live.run("a", clock.step) for _ in range(50)]
    assert set(used[3 * TRIAL_STEPS :]) == {1}
    clock.cost = {1: 2.0, 2: 1.0}  # and gave it back
    used = [live.run("a", clock.step) for _ in range(TRY_AGAIN_STEPS + 50)]
    assert set(used[-20:]) == {2}


def test_steps_of_different_kinds_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger step is not a slow one, and a trial is made of steps of one kind."""
    clock, live = Clock(monkeypatch), LiveThreads(most=2)
    for kind in range(1, 6):
        clock.cost = {1: 2.0 * kind, 2: 1.0 * kind}
        assert {live.run(kind, clock.step) for _ in range(TRIAL_STEPS)} == {2}  # too few for a trial
    assert [live.run(5, clock.step) for _ in range(30)].count(1) == ENOUGH_STEPS
    for kind in range(6, 9):
        clock.cost = {1: 2.0 * kind, 2: 1.0 * kind}
        assert {live.run(kind, clock.step) for _ in range(40)} == {2}


def test_one_thread_needs_no_live_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    torch.set_num_threads(2)
    assert LiveThreads(most=1).run("a", clock.step) == 2  # left alone


def test_a_passing_thread_is_gone_afterwards_and_hands_over_result_and_error() -> None:
    found = in_passing_thread(threading.current_thread)
    assert found is not threading.current_thread() and not found.is_alive()
    with pytest.raises(ZeroDivisionError):
        in_passing_thread(lambda: 1 // 0)

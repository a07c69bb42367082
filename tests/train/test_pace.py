import pytest

from hornbook.train.pace import replanned_tokens


def test_a_plan_within_fifteen_percent_stays() -> None:
    assert replanned_tokens(100, 1000, 10.0, 10.0, 100.0) == 1000
    assert replanned_tokens(100, 1000, 10.0, 20.0, 100.0) == 1000  # 110 s of 100 s


@pytest.mark.parametrize("speed", [2.0, 5.0, 20.0, 80.0])
def test_a_new_plan_ends_on_the_budget(speed: float) -> None:
    total = replanned_tokens(100, 1000, speed, 12.0, 100.0)
    assert 12.0 + (total - 100) / speed == pytest.approx(100.0, abs=1 / speed)


def test_a_spent_budget_ends_the_run() -> None:
    assert replanned_tokens(100, 1000, 1.0, 130.0, 100.0) == 100

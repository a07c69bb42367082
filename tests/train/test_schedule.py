import pytest

from hornbook.train.schedule import ScheduleSettings, factor


def test_wsd_by_hand() -> None:
    """Up over 4 steps, flat, then a straight line from 1 at 60 % to 0.1 at the end."""
    settings = ScheduleSettings(shape="wsd", warmup_steps=4, decay_frac=0.4, final_frac=0.1)
    assert [factor(settings, step, 0.0) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    found = [factor(settings, 100, progress) for progress in (0.5, 0.6, 0.8, 0.9, 1.0)]
    assert found == pytest.approx([1.0, 1.0, 0.1 + 0.9 * 0.5, 0.1 + 0.9 * 0.25, 0.1])


def test_cosine_linear_and_constant_by_hand() -> None:
    at = {"warmup_steps": 0, "final_frac": 0.2}
    cosine = ScheduleSettings(shape="cosine", **at)  # type: ignore[arg-type]
    assert [factor(cosine, 9, p) for p in (0.0, 0.5, 1.0)] == pytest.approx([1.0, 0.6, 0.2])
    assert factor(cosine, 9, 1 / 3) == pytest.approx(0.2 + 0.8 * 0.75)
    linear = ScheduleSettings(shape="linear", **at)  # type: ignore[arg-type]
    assert [factor(linear, 9, p) for p in (0.0, 0.25, 1.0)] == pytest.approx([1.0, 0.8, 0.2])
    constant = ScheduleSettings(shape="constant", **at)  # type: ignore[arg-type]
    assert [factor(constant, 9, p) for p in (0.0, 1.0)] == [1.0, 1.0]


def test_progress_beyond_the_end_and_no_decay() -> None:
    assert factor(ScheduleSettings(warmup_steps=0, final_frac=0.05), 1, 1.7) == pytest.approx(0.05)
    assert factor(ScheduleSettings(warmup_steps=0, decay_frac=0.0), 1, 1.0) == 1.0

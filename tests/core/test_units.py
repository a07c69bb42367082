import math

import pytest

from hornbook.core import units


def test_bits_per_byte_of_a_fair_coin_per_byte():
    assert units.bits_per_byte(1000 * math.log(2), 1000) == pytest.approx(1.0, abs=1e-12)
    with pytest.raises(ValueError, match="at least one byte"):
        units.bits_per_byte(1.0, 0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.4, "59 s"), (59.6, "1m 00s"), (3600, "1h 00m"), (90_000, "1d 1h")]
)
def test_durations(seconds, text):
    assert units.human_seconds(seconds) == text


@pytest.mark.parametrize(
    ("n", "text"), [(0, "0"), (999, "999"), (1500, "1.5k"), (4e14, "400T"), (2e9, "2B"), (4.1e15, "4.10e+15")]
)
def test_counts(n, text):
    assert units.human_count(n) == text

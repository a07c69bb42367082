"""Twenty steps of a tiny model in fp32: the losses of this file, on any machine."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))
import small

from hornbook.train.loop import Job, fit
from hornbook.train.objective import NextToken

LOSSES = [
    3.471677,
    3.31143,
    2.941854,
    2.565123,
    2.229169,
    1.952788,
    1.739063,
    1.552489,
    1.335512,
    1.165761,
    1.039657,
    1.043571,
    0.875797,
    0.988751,
    0.963605,
    0.816732,
    1.05267,
    0.959762,
    0.930889,
    0.879779,
]


def curve(folder: Path) -> list[float]:
    out = small.out(folder)
    fit(Job(small.model(), small.source(), NextToken(), 20 * 256, small.settings(log_steps=1)), out)
    return [record["loss"] for record in small.records(out.path)]


def test_the_curve(tmp_path: Path) -> None:
    """Changed on purpose? Run this file as a program and put in what it prints."""
    assert curve(tmp_path) == pytest.approx(LOSSES, rel=2e-4)


if __name__ == "__main__":
    import tempfile

    print([round(loss, 6) for loss in curve(Path(tempfile.mkdtemp()))])

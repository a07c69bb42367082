"""The checker of shapes in names notices what is untrue, and only that."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from tests import shape_names

SOURCE = """
import numpy

def good(x_BTD):
    scores_BT = x_BTD.sum(-1)
    return scores_BT

def wrong_rank(x_BTD):
    flat_BD = x_BTD
    return flat_BD

def wrong_size(x_BT):
    y_TB = numpy.zeros((9, 9))
    if x_BT is not None:
        return 1
    return y_TB

def unknown_letter():
    x_BQ = numpy.zeros((1, 2))

def at_the_end(x_BT):
    x_BT = x_BT[0]

def not_an_array(x_BT):
    return x_BT

def inner(x_BT):
    def of_its_own(x_B):
        return x_B
    return of_its_own(x_BT[:, 0])

def many(x_BTD):
    for _ in range(3):
        try:
            return x_BTD.shape
        finally:
            pass

class Box:
    def method(self, x_BT):
        return x_BT

def pieces(x_BT):
    for row_T in x_BT:
        yield row_T
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    package = tmp_path / "shaped_example"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "shapes.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    finder = shape_names.install("shaped_example")
    import shaped_example.shapes as shapes  # pyright: ignore[reportMissingImports]

    yield shapes
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.startswith("shaped_example")]:
        del sys.modules[name]


def test_true_names_pass(module):
    assert module.good(numpy.ones((2, 3, 4))).shape == (2, 3)
    assert module.inner(numpy.ones((2, 3))).shape == (2,)
    assert module.many(numpy.ones((2, 3, 4))) == (2, 3, 4)
    assert module.Box().method(numpy.ones((2, 3))).shape == (2, 3)
    assert len(list(module.pieces(numpy.ones((2, 3))))) == 2


def test_values_without_a_shape_are_left_alone(module):
    assert module.not_an_array([[1], [2]]) == [[1], [2]]
    assert module.not_an_array(None) is None


@pytest.mark.parametrize(
    ("name", "shape", "sentence"),
    [
        ("wrong_rank", (2, 3, 4), r"wrong_rank: flat_BD says 2 dimensions and has 3: \(2, 3, 4\)"),
        ("good", (2, 3), r"x_BTD says 3 dimensions and has 2"),
        ("wrong_size", (2, 9), r"B is 2 in x_BT and 9 in y_TB"),
        ("at_the_end", (2, 3), r"at_the_end: x_BT says 2 dimensions and has 1"),
        ("not_an_array", (2,), r"x_BT says 2 dimensions"),
    ],
)
def test_untrue_names_are_noticed(module, name, shape, sentence):
    with pytest.raises(shape_names.ShapeNameError, match=sentence):
        getattr(module, name)(numpy.zeros(shape))


def test_letters_come_from_the_glossary(module):
    with pytest.raises(shape_names.ShapeNameError, match="Q is not a letter"):
        module.unknown_letter()
    assert shape_names.letters()["B"].startswith("batch")
    assert set("BTSDHJKFVELPG") <= set(shape_names.letters())


def test_hornbook_is_checked_in_every_test():
    import torch

    from hornbook.model import rope

    assert type(rope.__spec__.loader) is shape_names.Loader
    assert torch is not None

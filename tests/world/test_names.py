"""Names: single words, never twice, never English."""

import re
from itertools import islice

import pytest

from hornbook.core.seed import stream
from hornbook.world.names import ROOMY, TAKEN, names


@pytest.mark.parametrize("kind", ["person", "place"])
def test_names_are_single_capitalised_words_never_twice(kind: str) -> None:
    avoid: set[str] = set()
    found = list(islice(names(stream(1, "t"), kind, avoid), 2000))
    assert len(set(found)) == 2000 and avoid == set(found)
    assert all(re.fullmatch(r"[A-Z][a-z]{2,11}", name) for name in found)
    assert not {name.lower() for name in found} & TAKEN


def test_names_do_not_meet_those_to_avoid() -> None:
    avoid: set[str] = set()
    real = list(islice(names(stream(1, "t"), "person", avoid), 3000))
    assert not set(real) & set(islice(names(stream(2, "t"), "person", avoid), 3000))


def test_a_small_world_is_not_near_the_longer_names() -> None:
    avoid: set[str] = set()
    lengths = [len(name) for name in islice(names(stream(1, "t"), "person", avoid), 5000)]
    assert ROOMY > 5000 and max(lengths) <= 8
    more = list(islice(names(stream(2, "t"), "person", avoid), ROOMY))
    assert max(map(len, more)) > 8

from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.seed import array_stream, key, stream


def test_known_value_never_changes():
    # blake2b(b"7\x1fdata.mix\x1f3", digest_size=8), little-endian: computed once with hashlib
    import hashlib

    expected = int.from_bytes(hashlib.blake2b(b"7\x1fdata.mix\x1f3", digest_size=8).digest(), "little")
    assert key(7, "data.mix", 3) == expected < 2**64


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_order_of_asking_changes_nothing(a, b):
    first = stream(1, "x", a).random(), stream(1, "x", b).random()
    second = stream(1, "x", b).random(), stream(1, "x", a).random()
    assert first == second[::-1]
    assert (key(1, "x", a) == key(1, "x", b)) == (a == b)


def test_names_and_seeds_are_separate_streams():
    values = {key(s, n, i) for s in range(5) for n in ("a", "b", "a1") for i in range(20)}
    assert len(values) == 5 * 3 * 20


def test_array_stream_is_reproducible():
    assert (array_stream(3, "n", 1).random(4) == array_stream(3, "n", 1).random(4)).all()
    assert (array_stream(3, "n", 1).random(4) != array_stream(3, "n", 2).random(4)).any()

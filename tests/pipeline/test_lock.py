"""The lock keeps what was resolved, to the last None."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import SettingsError
from hornbook.pipeline.lock import LOCK, Lock, Locked, read_lock, write_lock

WORDS = st.text("abcdefgh_", min_size=1, max_size=6)
VALUES = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False) | st.text(max_size=8)
TABLES = st.recursive(
    st.dictionaries(WORDS, VALUES, max_size=4), lambda inner: st.dictionaries(WORDS, inner | VALUES, max_size=3)
)


@given(settings=TABLES)
def test_settings_come_back_as_they_were(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lock")
    write_lock(folder, Lock("cpu", {"a": Locked("hash", "data.read", settings, {"tokens": 3})}))
    found = read_lock(folder)
    assert found.device == "cpu" and found.stages["a"] == Locked("hash", "data.read", settings, {"tokens": 3})


def test_tuples_become_lists_and_no_lock_is_an_empty_one(tmp_path):
    assert read_lock(tmp_path) == Lock()
    write_lock(tmp_path, Lock("", {"a": Locked("h", "r", {"rules": ("x", ("y", None))[:1], "many": ({"b": None},)})}))
    assert read_lock(tmp_path).stages["a"].settings == {"rules": ["x"], "many": [{}]}
    assert not list(tmp_path.glob(".*new"))


def test_infinity_survives(tmp_path):
    write_lock(tmp_path, Lock("", {"a": Locked("h", "r", {"most": math.inf})}))
    assert read_lock(tmp_path).stages["a"].settings["most"] == math.inf


@pytest.mark.parametrize("text", ["not toml [", "stage = 3", "[[stage]]\nid = 'a'", "stage = [1]"])
def test_a_damaged_lock_is_named(tmp_path, text):
    (tmp_path / LOCK).write_text(text)
    with pytest.raises(SettingsError, match="the lock cannot be read") as caught:
        read_lock(tmp_path)
    assert "Delete it" in str(caught.value)

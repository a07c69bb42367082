"""One writer at a time."""

import os

import pytest

from hornbook.core.errors import ArtifactError
from hornbook.pipeline.runlock import is_running, only_writer


def test_the_lock_is_held_inside_and_free_after(tmp_path):
    assert not is_running(tmp_path)
    with only_writer(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(ArtifactError, match=f"number {os.getpid()}"), only_writer(tmp_path):
            pass
    assert not is_running(tmp_path)
    with pytest.raises(ZeroDivisionError), only_writer(tmp_path):
        raise ZeroDivisionError
    with only_writer(tmp_path):
        pass

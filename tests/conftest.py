"""Checks shapes in names in every test (shape_names.py), and keeps tests away from the user's own files."""

import os
import signal
import sys
from pathlib import Path

import hypothesis
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import shape_names

shape_names.install()
# A suite started in the background ignores Ctrl-C, and would hand that down to the programs it stops by Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
# The same examples every time, and no clock: a busy machine is no reason to fail.
hypothesis.settings.register_profile("hornbook", deadline=None, derandomize=True)
hypothesis.settings.load_profile("hornbook")


@pytest.fixture(autouse=True, scope="session")
def no_outside() -> None:
    """No hub, no telemetry: a test that would reach out fails at once instead of waiting."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(autouse=True)
def two_workers_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small jobs would be done by one process (shards/runner.py); tests with two workers mean two."""
    monkeypatch.setattr("hornbook.shards.runner.WORTH_S", 0.0)

"""The same numbers from the same inputs: what has to be switched for it, and switched back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def deterministic(wanted: bool = True) -> Iterator[None]:
    """Only operations that give the same bits every time, on one machine with one number of threads.

    Without it compiled training at two threads differs from run to run (atomic adds in the embedding's gradient). New
    tensors are not filled first, which torch would do to make uses of uninitialised memory visible and costs time.
    """
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic  # a module with a property that its stub does not know
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(wanted)
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        memory.fill_uninitialized_memory = filled

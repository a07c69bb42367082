"""Compiled functions, with a cache that outlives the process and plain eager code where there is no compiler."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hornbook.core.runlog import RunLog

CACHE_DIR = "TORCHINDUCTOR_CACHE_DIR"


def can_compile() -> bool:
    """Whether there is a C++ compiler."""
    return any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++"))


def use_cache(folder: Path) -> None:
    """Keep compiled code in this folder, and let the number of threads change without compiling again.

    Environment variables are set too, for torch's own worker processes; what the user has set stays.
    """
    import torch._inductor.config as inductor
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    if os.environ.get(CACHE_DIR, "") in ("", default_cache_dir()):  # torch writes its default (in /tmp) there itself
        os.environ[CACHE_DIR] = str(folder / "inductor")
    os.environ.setdefault("TORCHINDUCTOR_CPP_DYNAMIC_THREADS", "1")

    inductor.cpp.dynamic_threads = os.environ["TORCHINDUCTOR_CPP_DYNAMIC_THREADS"] == "1"
    inductor.fx_graph_cache = True


def compiled(
    function: Callable[..., Any], folder: Path, log: RunLog | None = None, same_model: bool = False
) -> Callable[..., Any]:
    """The function compiled for fixed shapes, code kept in `folder`; the function itself without a compiler.

    No kernel is chosen by timing, so that the same code comes out every time. `same_model`: every call gets the module
    that the first one got, so that nothing of it needs to be looked at again (a tenth of a decode step of one row).
    """
    if not can_compile():
        if log is not None:
            log.line("there is no C++ compiler (g++), so this runs uncompiled, about two times slower")
        return function
    use_cache(folder)
    options: dict[str, Any] | None = (
        {"guard_filter_fn": torch.compiler.skip_guard_on_all_nn_modules_unsafe} if same_model else None
    )
    return torch.compile(function, dynamic=False, options=options)

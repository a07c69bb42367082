import os
from pathlib import Path

import pytest
import torch

from hornbook.compute import compile as compiling
from hornbook.core.runlog import RunLog


def double(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def test_without_a_compiler_the_function_runs_as_it_is_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "can_compile", lambda: False)
    assert compiling.compiled(double, tmp_path, RunLog()) is double
    assert "no C++ compiler" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_no_compiler_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert not compiling.can_compile()


def test_code_is_kept_where_we_say_unless_the_user_has_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch._inductor.config as inductor

    monkeypatch.setenv(compiling.CACHE_DIR, "")
    monkeypatch.delenv("TORCHINDUCTOR_CPP_DYNAMIC_THREADS", raising=False)
    compiling.use_cache(tmp_path)
    assert os.environ[compiling.CACHE_DIR] == str(tmp_path / "inductor") and inductor.cpp.dynamic_threads
    monkeypatch.setenv(compiling.CACHE_DIR, "/the/users/own")
    compiling.use_cache(tmp_path)
    assert os.environ[compiling.CACHE_DIR] == "/the/users/own"

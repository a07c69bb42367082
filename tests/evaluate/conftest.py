"""The fake model's module and a tokenizer of bytes."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.fixture(scope="session")
def fake() -> ModuleType:
    """The module beside this file with `FakeModel`, `byte_tokenizer` and `write_tasks`."""
    spec = importlib.util.spec_from_file_location("evaluate_fake_model", Path(__file__).with_name("fake_model.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["evaluate_fake_model"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory, fake: ModuleType) -> Tokenizer:
    """Ids 0-15 are special, 16 + b is byte b."""
    return fake.byte_tokenizer(tmp_path_factory.mktemp("tokenizer") / "bytes")

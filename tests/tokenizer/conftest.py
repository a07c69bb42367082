"""One small tokenizer of ours, and foreign ones of other kinds."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hornbook.tokenizer import learn
from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.fixture(scope="session")
def texts() -> ModuleType:
    """The module of generated texts beside this file."""
    spec = importlib.util.spec_from_file_location("tokenizer_texts", Path(__file__).with_name("texts.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tokenizer_texts"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, texts: ModuleType) -> Path:
    """A learned tokenizer of 700 ids."""
    path = tmp_path_factory.mktemp("ours")
    settings = learn.Settings(vocab_size=700)
    learn.write_folder(path, learn.learn_ranks([*texts.stories(300), *texts.mixed(50_000, seed=1)], settings), settings)
    return path


@pytest.fixture(scope="session")
def tokenizer(folder: Path) -> Tokenizer:
    """The same, loaded."""
    return Tokenizer.load(folder)

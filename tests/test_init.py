"""The small Python API at the top of the package, on a small model with random weights."""

import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import hornbook
from hornbook.core.artifact import building, scratch_out
from hornbook.core.errors import ArtifactError, DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(__file__).parent / "serve" / "tiny_model.py"
    spec = importlib.util.spec_from_file_location("tiny_model_of_test_init", path)
    assert spec is not None and spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.tiny_folder(tmp_path_factory.mktemp("model"))


def test_import_is_cheap():
    code = "import hornbook, sys; print([m for m in ('torch', 'numpy', 'pydantic', 'typer') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_generate_from_text_and_from_messages(folder):
    model = hornbook.load_model(folder)
    text = hornbook.generate(model, "the fox", max_tokens=8, temperature=0.7, seed=3)
    assert text
    assert hornbook.generate(model, "the fox", max_tokens=8, temperature=0.7, seed=3) == text
    assert hornbook.generate(model, [{"role": "user", "content": "the fox"}], max_tokens=8, seed=3) != text


def test_score_is_bits_per_byte_of_a_plain_forward(folder):
    model = hornbook.load_model(folder)
    text = "über the hill"
    ids = [model.tokenizer.bos_id, *model.tokenizer.encode(text)]
    with torch.no_grad():
        logp_TV = model.model(torch.tensor([ids])).float().log_softmax(-1)[0]
    nats = -sum(float(logp_TV[i, ids[i + 1]]) for i in range(len(ids) - 1))
    assert hornbook.score(model, text) == pytest.approx(nats / math.log(2) / len(text.encode()), rel=1e-5)
    with pytest.raises(DataError, match="empty"):
        hornbook.score(model, "")


def test_open_run_gives_artifacts_in_order(tmp_path):
    run = tmp_path / "small"
    outside = scratch_out(run)
    (run / "recipe.toml").write_text('name = "small"\n')
    for number, name in ((2, "clean"), (1, "text"), (10, "more")):
        folder = run / f"{number:02}-{name}"
        with building(folder, kind="documents", log=outside.log, machine=outside.machine) as out:
            (out.path / "a.txt").write_text(name)
    (run / "11-unfinished.partial").mkdir()
    artifacts = hornbook.open_run(run)
    assert list(artifacts) == ["text", "clean", "more"]
    assert artifacts["clean"].file("a.txt").read_text() == "clean"
    with pytest.raises(ArtifactError, match="not a run"):
        hornbook.open_run(tmp_path)

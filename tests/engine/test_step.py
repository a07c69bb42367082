from pathlib import Path

import pytest
import torch

from hornbook.compute.compile import can_compile
from hornbook.engine import step
from hornbook.engine.local import LocalModel
from hornbook.engine.slots import Slots
from hornbook.engine.step import Steps, batch_bucket, window_bucket
from hornbook.model.decoder import Decoder
from hornbook.model.kv_cache import KVCache
from hornbook.model.settings import ModelSettings


def test_buckets() -> None:
    assert [batch_bucket(n) for n in (1, 2, 3, 5, 16, 17, 64, 65)] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert [window_bucket(n, 1000) for n in (1, 128, 129, 200, 300, 500, 999)] == [128, 128, 192, 256, 384, 512, 1000]
    assert window_bucket(5, 60) == 60


def test_without_a_compiler_steps_stay_eager(
    local: LocalModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    steps = Steps(local.model, True, tmp_path)
    assert not steps.compiles
    steps.warm_up(Slots(local, 1).cache)


def test_a_step_that_does_not_compile_stays_eager(
    local: LocalModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = Steps(local.model, True, tmp_path)
    steps.compiles = True

    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(steps, "_compile", broken)
    monkeypatch.setattr(step, "COMPILE_AFTER_STEPS", 1)
    window = Slots(local, 2).cache.window(0, 2, 64)
    ids_B = torch.tensor([5, 6])
    results = [steps.run(ids_B, torch.tensor([0, 0]), window, background=True)[0] for _ in range(2)]
    assert torch.equal(*results)


@pytest.mark.skipif(not can_compile(), reason="no C++ compiler: install g++")
@pytest.mark.parametrize("num_rows", [1, 2])
def test_the_compiled_step_is_the_eager_one_before_and_after_new_weights(num_rows: int, tmp_path: Path) -> None:
    settings = ModelSettings(vocab_size=64, width=32, layers=1, heads=2, kv_heads=1, head_size=16, hidden=32)
    model = Decoder(settings)
    model.initialise(1, embedding_std=0.3, zero_projections=False)
    model.requires_grad_(False)
    steps, eager = Steps(model, True, tmp_path), Steps(model, False, tmp_path)
    ids_B, positions_B = torch.tensor([5, 6][:num_rows]), torch.full((num_rows,), 5)
    for seed in (2, 3):
        cache = KVCache.empty(settings, num_rows, 64)
        steps.warm_up(cache)
        assert not any(layer.any() for layer in (*cache.k, *cache.v))
        plain_cache = KVCache.empty(settings, num_rows, 64)
        for one, other in zip((*cache.k, *cache.v), (*plain_cache.k, *plain_cache.v), strict=True):
            one.normal_()  # five earlier tokens, so that whom a token attends to matters
            other.copy_(one)
        with torch.compiler.set_stance("fail_on_recompile"):  # what was compiled is what is used
            ours = steps.run(ids_B, positions_B, cache, background=False)
        plain = eager.run(ids_B, positions_B, plain_cache, background=False)
        assert torch.allclose(ours[0], plain[0], atol=1e-5)
        assert ours[2].tolist() == plain[2].tolist()
        for written, wanted in zip((*cache.k, *cache.v), (*plain_cache.k, *plain_cache.v), strict=True):
            assert torch.allclose(written, wanted, atol=1e-5)
        model.initialise(seed, embedding_std=0.3, zero_projections=False)
        steps.weights_changed()

import pytest
import torch

from hornbook.engine.local import LocalModel
from hornbook.engine.slots import Slots
from hornbook.engine.step import Steps, batch_bucket, can_compile, window_bucket


def test_buckets() -> None:
    assert [batch_bucket(n) for n in (1, 2, 3, 5, 16, 17, 64, 65)] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert [window_bucket(n, 1000) for n in (1, 128, 129, 500, 999)] == [128, 128, 256, 512, 1000]
    assert window_bucket(5, 60) == 60


def test_without_a_compiler_steps_stay_eager(local: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    steps = Steps(local.model, compiled=True)
    assert not steps.compiled
    steps.warm_up(Slots(local, 1).cache)


def test_a_step_that_does_not_compile_stays_eager(local: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(local.model, compiled=True)
    steps.compiled = True

    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(steps, "_compile", broken)
    window = Slots(local, 2).cache.window(0, 2, 64)
    ids_B = torch.tensor([5, 6])
    results = [steps.run(ids_B, torch.tensor([0, 0]), window, background=True)[0] for _ in range(2)]
    assert torch.equal(*results)


@pytest.mark.skipif(not can_compile(), reason="no C++ compiler: install g++")
def test_the_compiled_step_is_the_eager_one(local: LocalModel) -> None:
    steps = Steps(local.model, compiled=True)
    window = Slots(local, 2).cache.window(0, 2, 64)
    before = [layer.clone() for layer in (*window.k, *window.v)]
    steps.warm_up(window)
    assert all(torch.equal(a, b) for a, b in zip(before, (*window.k, *window.v), strict=True))
    ids_B, positions_B = torch.tensor([5, 6]), torch.tensor([0, 0])
    compiled = steps.run(ids_B, positions_B, window, background=False)
    written = [layer.clone() for layer in (*window.k, *window.v)]
    eager = Steps(local.model, compiled=False).run(ids_B, positions_B, window, background=False)
    assert torch.allclose(compiled[0], eager[0], atol=1e-5)
    assert compiled[2].tolist() == eager[2].tolist()
    for ours, plain in zip(written, (*window.k, *window.v), strict=True):
        assert torch.allclose(ours, plain, atol=1e-5)

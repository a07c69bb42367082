"""Against torch's own cross-entropy over explicit logits."""

import pytest
import torch
from torch.nn import functional

from hornbook.model import cross_entropy


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_values_and_gradients(dtype: torch.dtype, recompute: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if recompute:
        monkeypatch.setattr(cross_entropy, "MAX_SAVED_NUMBERS", 0)
    generator = torch.Generator().manual_seed(0)
    x_BTD = torch.randn(2, 5, 7, dtype=dtype, generator=generator, requires_grad=True)
    weight_VD = torch.randn(11, 7, dtype=dtype, generator=generator, requires_grad=True)
    targets_BT = torch.randint(0, 11, (2, 5), generator=generator)
    weights_BT = torch.rand(2, 5, dtype=dtype, generator=generator)
    nats_BT = cross_entropy.token_nats(x_BTD, weight_VD, targets_BT)
    oracle = functional.cross_entropy((x_BTD @ weight_VD.T).flatten(0, 1), targets_BT.flatten(), reduction="none")
    tolerance = 1e-12 if dtype == torch.float64 else 1e-5
    assert torch.allclose(nats_BT.flatten(), oracle, atol=tolerance)
    ours = torch.autograd.grad((nats_BT * weights_BT).sum(), (x_BTD, weight_VD))
    theirs = torch.autograd.grad((oracle * weights_BT.flatten()).sum(), (x_BTD, weight_VD))
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.allclose(mine, other, atol=tolerance)


def test_half_precision_loses_only_what_its_logits_lose() -> None:
    generator = torch.Generator().manual_seed(0)
    x_BTD = torch.randn(1, 9, 16, generator=generator)
    weight_VD = torch.randn(30, 16, generator=generator)
    targets_BT = torch.randint(0, 30, (1, 9), generator=generator)
    nats_BT = cross_entropy.token_nats(x_BTD.bfloat16(), weight_VD, targets_BT)
    logits = (x_BTD.bfloat16() @ weight_VD.bfloat16().T).float()
    assert nats_BT.dtype == torch.float32
    assert torch.allclose(nats_BT[0], functional.cross_entropy(logits[0], targets_BT[0], reduction="none"), atol=1e-5)

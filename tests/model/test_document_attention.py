import pytest
import torch

from hornbook.model import document_attention
from hornbook.model.document_attention import attend_documents, document_spans


def test_spans_are_the_runs_of_equal_numbers() -> None:
    segments_BT = torch.tensor([[3, 3, 1, 3], [0, 0, 0, 0]])
    assert document_spans(segments_BT) == [(0, 0, 2), (0, 2, 3), (0, 3, 4), (1, 0, 4)]


def test_operator_is_registered_as_torch_wants_it() -> None:
    x = torch.randn(2, 5, 2, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    segments_BT = torch.tensor([[0, 0, 1, 1, 1], [0, 1, 1, 2, 2]])
    tests = ("test_schema", "test_faketensor", "test_autograd_registration")
    torch.library.opcheck(attend_documents, (x, x.detach(), x.detach(), segments_BT), test_utils=tests)


def test_other_documents_change_no_bit() -> None:
    x = torch.randn(1, 8, 2, 8, generator=torch.Generator().manual_seed(0))
    segments_BT = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1]])
    packed = attend_documents(x, x, x, segments_BT)[0]
    alone = attend_documents(x[:, 3:], x[:, 3:], x[:, 3:], segments_BT[:, 3:])[0]
    assert torch.equal(packed[:, 3:], alone)


def test_bf16_blocks_are_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward and backward in bf16 against fp64, with documents of one token, a block, and several blocks."""
    monkeypatch.setattr(document_attention, "BLOCK_TOKENS", 16)
    generator = torch.Generator().manual_seed(2)
    lengths = (1, 16, 37, 10)
    segments_BT = torch.cat([torch.full((length,), index) for index, length in enumerate(lengths)])[None]
    inputs = [torch.randn(1, 64, 3, 8, generator=generator).bfloat16() for _ in range(4)]
    found, wanted = (_through(inputs, segments_BT, dtype) for dtype in (torch.bfloat16, torch.float64))
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).norm() <= 0.01 * other.norm()


def _through(inputs: list[torch.Tensor], segments_BT: torch.Tensor, dtype: torch.dtype) -> list[torch.Tensor]:
    q, k, v, grad = (x.to(dtype).requires_grad_() for x in inputs)
    x, _ = document_attention.attend_documents(q, k, v, segments_BT)
    return [t.detach().double() for t in (x, *torch.autograd.grad(x, (q, k, v), grad))]

import torch

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

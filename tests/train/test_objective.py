import small
import torch

from hornbook.train.objective import NextToken


def test_sum_and_weight_by_hand() -> None:
    """Nats 1, 2, 3, ... at every place: only places with a weight count, and the weight is theirs."""
    batch = next(small.source().batches(None))
    nats_BT = torch.arange(1.0, batch.ids_BT.numel() + 1).view(batch.ids_BT.shape)
    loss = NextToken()(lambda ids, targets, segments: nats_BT, batch)
    learned = batch.weights_BT.bool()
    assert float(loss.terms["nats"].sum) == float(nats_BT[learned].sum())
    assert loss.terms["nats"].weight == int(learned.sum()) == NextToken().weights(batch)["nats"]


def test_padding_gets_no_gradient() -> None:
    batch = next(small.source(num_docs=5).batches(None))
    nats_BT = torch.ones(batch.ids_BT.shape, requires_grad=True)
    NextToken()(lambda ids, targets, segments: nats_BT, batch).terms["nats"].sum.backward()
    assert nats_BT.grad is not None and torch.equal(nats_BT.grad, batch.weights_BT)
    assert not batch.weights_BT.all()

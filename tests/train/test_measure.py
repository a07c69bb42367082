from functools import partial

import numpy as np
import small
import torch

from hornbook.train.measure import FixedRows


def target(
    ids_BT: torch.Tensor, targets_BT: torch.Tensor, segments_BT: torch.Tensor | None, shape: tuple[int, int]
) -> torch.Tensor:
    assert ids_BT.shape == shape
    return targets_BT.float()


def test_every_target_counts_once_whatever_the_batch() -> None:
    """Nats that are the target id: the sum is that of all weighted targets, in batches of any size."""
    docs, _ = small.documents(9, seed=1)
    items = [(d, np.ones(len(d) - 1, dtype=np.float32)) for d in docs]
    items[0][1][:] = 0.0
    wanted = sum(int(d[1:].sum()) for d in docs[1:])
    for batch_rows in (1, 2, 5):
        rows = FixedRows(items, row_tokens=64, batch_rows=batch_rows, pad_id=0, device=torch.device("cpu"))
        assert rows.nats(partial(target, shape=(batch_rows, 64))) == wanted
        assert rows.weight == sum(len(d) - 1 for d in docs[1:])


def test_a_model_is_measured_as_one_document_at_a_time() -> None:
    model = small.model(torch.float64)
    docs, _ = small.documents(5, seed=2)
    items = [(d, np.ones(len(d) - 1, dtype=np.float32)) for d in docs]
    rows = FixedRows(items, row_tokens=64, batch_rows=4, pad_id=0, device=torch.device("cpu"))
    found = rows.nats(lambda ids, targets, segments: model.token_nats(model.hidden(ids, None, segments), targets))
    alone = 0.0
    for d in docs:
        ids = torch.from_numpy(d)[None]
        alone += model.token_nats(model.hidden(ids[:, :-1]), ids[:, 1:]).sum().item()
    assert abs(found - alone) < 1e-9 * alone

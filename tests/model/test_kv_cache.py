import torch

from hornbook.model.kv_cache import KVCache
from hornbook.model.settings import ModelSettings


def test_writes_land_at_their_positions_in_their_rows(settings: ModelSettings) -> None:
    cache = KVCache.empty(settings, num_rows=3, num_tokens=6)
    k_BTJK = torch.arange(2 * 2 * 2 * 8, dtype=torch.float32).view(2, 2, 2, 8) + 1
    positions_BT = torch.tensor([[0, 1], [3, 4]])
    cache.window(1, 2, 6).write(1, positions_BT, k_BTJK, -k_BTJK)
    assert torch.equal(cache.k_LBJSK[1, 1, :, 1], k_BTJK[0, 1])
    assert torch.equal(cache.v_LBJSK[1, 2, :, 3], -k_BTJK[1, 0])
    assert cache.k_LBJSK.count_nonzero() == k_BTJK.numel()


def test_moving_a_row_copies_it_whole(settings: ModelSettings) -> None:
    cache = KVCache.empty(settings, num_rows=3, num_tokens=4)
    cache.k_LBJSK[:, 2], cache.v_LBJSK[:, 2] = 1.0, 2.0
    cache.move_row(2, 0)
    assert (cache.k_LBJSK[:, 0] == 1).all() and (cache.v_LBJSK[:, 0] == 2).all() and (cache.k_LBJSK[:, 1] == 0).all()

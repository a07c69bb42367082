import torch

from hornbook.model.kv_cache import KVCache
from hornbook.model.settings import ModelSettings


def test_writes_land_at_their_positions_in_their_rows(settings: ModelSettings) -> None:
    cache = KVCache.empty(settings, num_rows=3, num_tokens=6)
    k_BTJK = torch.arange(2 * 2 * 2 * 8, dtype=torch.float32).view(2, 2, 2, 8) + 1
    positions_BT = torch.tensor([[0, 1], [3, 4]])
    cache.window(1, 2, 6).write(1, positions_BT, k_BTJK, -k_BTJK)
    assert torch.equal(cache.k[1][1, :, 1], k_BTJK[0, 1])
    assert torch.equal(cache.v[1][2, :, 3], -k_BTJK[1, 0])
    assert sum(layer.count_nonzero() for layer in cache.k) == k_BTJK.numel()


def test_copying_a_row_copies_as_many_places_as_asked(settings: ModelSettings) -> None:
    cache = KVCache.empty(settings, num_rows=3, num_tokens=4)
    for layer in (*cache.k, *cache.v):
        layer[2] = 1.0
    cache.copy_row(2, 0)
    cache.copy_row(2, 1, num_tokens=3)
    for layer in (*cache.k, *cache.v):
        assert (layer[0] == 1).all() and (layer[1, :, :3] == 1).all() and (layer[1, :, 3] == 0).all()

"""Rotation against complex numbers, and the property it exists for."""

import math

import torch

from hornbook.model.rope import rope_tables, rotate


def test_turned_by_hand() -> None:
    cos, sin = rope_tables(3, 4, 10_000.0)
    x_BTHK = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64).expand(1, 3, 1, 4)
    turned = rotate(x_BTHK, cos.double(), sin.double())
    for position in range(3):
        for pair, angle in ((0, position * 1.0), (1, position * 0.01)):
            z = complex(x_BTHK[0, 0, 0, pair], x_BTHK[0, 0, 0, pair + 2]) * complex(math.cos(angle), math.sin(angle))
            got = complex(turned[0, position, 0, pair], turned[0, position, 0, pair + 2])
            assert abs(got - z) < 5e-7


def test_products_depend_on_distance_only() -> None:
    cos, sin = (table.double() for table in rope_tables(40, 8, 100.0))
    generator = torch.Generator().manual_seed(1)
    q, k = torch.randn(2, 1, 40, 1, 8, generator=generator, dtype=torch.float64)
    q, k = q[:, :1].expand(1, 40, 1, 8), k[:, :1].expand(1, 40, 1, 8)
    q, k = rotate(q, cos, sin)[0, :, 0], rotate(k, cos, sin)[0, :, 0]
    products = q @ k.T
    assert torch.allclose(products.diagonal(-3), products[3, 0], atol=1e-5)
    assert not torch.allclose(products[3, 0], products[4, 0], atol=1e-3)


def test_rows_may_have_positions_of_their_own() -> None:
    cos, sin = rope_tables(9, 4, 10_000.0)
    x_BTHK = torch.randn(2, 3, 2, 4, generator=torch.Generator().manual_seed(2))
    positions_BT = torch.tensor([[0, 1, 2], [6, 7, 8]])
    turned = rotate(x_BTHK, cos[positions_BT], sin[positions_BT])
    assert torch.equal(turned[1], rotate(x_BTHK, cos[6:9], sin[6:9])[1])
    assert torch.equal(turned[0], rotate(x_BTHK, cos[:3], sin[:3])[0])

import torch

from hornbook.model.decoder import Decoder
from hornbook.model.taps import Taps


def test_reading_changes_nothing_and_streams_add_up(decoder: Decoder) -> None:
    ids_BT = torch.tensor([[5, 6, 7, 8]])
    names = ["embedding", "final", *(f"layers.{i}{part}" for i in range(3) for part in ("", ".attention", ".mlp"))]
    taps = Taps(read=frozenset(names))
    assert torch.equal(decoder(ids_BT, taps=taps), decoder(ids_BT))
    assert sorted(taps.values) == sorted(names)
    added = taps.values["embedding"] + taps.values["layers.0.attention"] + taps.values["layers.0.mlp"]
    assert torch.allclose(added, taps.values["layers.0"], atol=1e-12)


def test_a_patch_reaches_everything_after_it_and_nothing_before(decoder: Decoder) -> None:
    ids_BT = torch.tensor([[5, 6, 7, 8]])
    taps = Taps(frozenset({"layers.0", "layers.2"}), {"layers.1.mlp": torch.zeros_like})
    plain = Taps(frozenset({"layers.0", "layers.2"}))
    assert not torch.allclose(decoder(ids_BT, taps=taps), decoder(ids_BT, taps=plain))
    assert torch.equal(taps.values["layers.0"], plain.values["layers.0"])
    assert not torch.equal(taps.values["layers.2"], plain.values["layers.2"])

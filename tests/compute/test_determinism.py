import torch

from hornbook.compute.determinism import deterministic


def test_switched_and_switched_back() -> None:
    filled = torch.utils.deterministic.fill_uninitialized_memory
    for wanted in (True, False):
        with deterministic(wanted):
            assert torch.are_deterministic_algorithms_enabled() == wanted
            assert not torch.utils.deterministic.fill_uninitialized_memory
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.utils.deterministic.fill_uninitialized_memory == filled

import pytest
import torch

from hornbook.compute.device import pick
from hornbook.core.errors import SettingsError
from hornbook.core.recipe import Machine


def test_auto_is_the_best_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for cuda, mps, wanted in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda answer=cuda: answer)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda answer=mps: answer)
        assert pick(Machine()).type == wanted


def test_what_is_asked_for_or_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick(Machine(device="cpu")) == torch.device("cpu")
    with pytest.raises(SettingsError, match="has no device"):
        pick(Machine(device="cuda"))
    with pytest.raises(SettingsError, match="there is no device"):
        pick(Machine(device="gpu"))

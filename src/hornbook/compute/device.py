"""Which device does the arithmetic."""

import torch

from hornbook.core.errors import SettingsError
from hornbook.core.recipe import Machine


def pick(machine: Machine) -> torch.device:
    """The device a recipe's `[machine]` means: `auto` is CUDA, else MPS, else the CPU.

    Raises SettingsError when the device that is asked for is not there.
    """
    wanted = machine.device
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    kind = wanted.partition(":")[0]
    if kind not in here:
        raise SettingsError(f'there is no device "{wanted}"', where="[machine]", do="Use auto, cpu, cuda or mps")
    if not here[kind]:
        raise SettingsError(
            f'this machine has no device "{wanted}"', where="[machine]", do="Use --set machine.device=auto"
        )
    return torch.device(wanted)


def _has_mps() -> bool:
    return bool(torch.backends.mps.is_available())

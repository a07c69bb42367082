"""A checkpoint ready to be judged: on the machine's device, with as many threads as pay off now."""

from pathlib import Path

import torch

from hornbook.compute.device import pick
from hornbook.compute.threads import choose_threads
from hornbook.core.recipe import Machine
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel, load

TRIAL_TOKENS = 64


def open_model(
    folder: Path, machine: Machine, *, dtype: torch.dtype | None = torch.float32, batch: int = 16
) -> LocalModel:
    """The model of a checkpoint folder, `batch` requests at a time.

    `dtype`: number format of generation, None = what suits the machine; scores of texts are always fp32.
    """
    device = pick(machine)
    model = load(folder, dtype=dtype, num_slots=batch, device=device)
    if device.type == "cpu":
        if machine.threads:
            torch.set_num_threads(machine.threads)
        else:
            choose_threads(lambda: _try(model, batch))
    return model


def _try(model: LocalModel, batch: int) -> None:
    """A bit of what evaluation does: read a text, write a few tokens."""
    ids = [index % model.settings.vocab_size for index in range(min(TRIAL_TOKENS, model.context_tokens))]
    model.score([ids] * 4)
    prompt = tuple(ids[: max(1, len(ids) // 2)])
    model.generate([Request(prompt, max_tokens=4, temperature=0.0, ignore_eos=True)] * batch)

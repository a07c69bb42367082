"""What a killed run needs to go on: weights, optimizer, cursor. Two generations; tensors and JSON, no pickle."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from hornbook.core.artifact import write_json
from hornbook.core.errors import TrainingError

LATEST = "latest.json"


def save(folder: Path, model: torch.nn.Module, optimizer_state: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Write a new generation and make it the latest; the one before stays until the next."""
    latest = _latest(folder)
    generation = 1 - latest["generation"] if latest else 0
    tensors = {f"model.{name}": value.detach() for name, value in model.state_dict().items()}
    tensors |= {f"optimizer.{name}": value for name, value in optimizer_state.items()}
    file = folder / f"state-{generation}.safetensors"
    scratch = file.with_suffix(".new")
    save_file({name: value.contiguous().cpu() for name, value in tensors.items()}, scratch)
    with scratch.open("rb+") as written:
        os.fsync(written.fileno())
    scratch.replace(file)
    write_json(folder / LATEST, {"generation": generation, "state": state})


def load(folder: Path, model: torch.nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Put the latest weights into the model; returns the optimizer's tensors and the state, or None at a start."""
    latest = _latest(folder)
    if latest is None:
        return None
    file = folder / f"state-{latest['generation']}.safetensors"
    try:
        tensors = load_file(file)
    except Exception as error:  # noqa: BLE001 - safetensors raises its own untyped errors
        raise TrainingError(
            f"the saved state cannot be read: {error}", where=str(file), do="Delete the folder to train from the start"
        ) from None
    model.load_state_dict({n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")})
    optimizer = {n.removeprefix("optimizer."): t for n, t in tensors.items() if n.startswith("optimizer.")}
    return optimizer, latest["state"]


def cut_metrics(file: Path, step: int) -> None:
    """Drop the records after `step` (made after the last save), so that nothing is told twice."""
    if not file.exists():
        return
    kept: list[str] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            break
        if record["step"] <= step:
            kept.append(line + "\n")
    scratch = file.with_name(f".{file.name}.new")
    scratch.write_text("".join(kept), encoding="utf-8")
    scratch.replace(file)


def _latest(folder: Path) -> dict[str, Any] | None:
    file = folder / LATEST
    return json.loads(file.read_text()) if file.exists() else None

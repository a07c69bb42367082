"""What a killed run needs to go on: weights, optimizer, cursor. Two generations; tensors and JSON, no pickle."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from hornbook.core.errors import TrainingError, is_disk_full

GENERATIONS = ("state-0.safetensors", "state-1.safetensors")
STATE = "state"


def save(folder: Path, model: torch.nn.Module, optimizer: dict[str, torch.Tensor], state: dict[str, Any]) -> None:
    """Write a new generation over the older of the two: a scratch file, synced, then renamed.

    `state` is JSON with a growing number `step`; it lies in the same file as the tensors, so that the two can never
    disagree. Raises TrainingError when the disk is full.
    """
    older = min(GENERATIONS, key=lambda name: _step(folder / name))
    tensors = {f"model.{name}": value.detach() for name, value in model.state_dict().items()}
    tensors |= {f"optimizer.{name}": value for name, value in optimizer.items()}
    scratch = folder / "state.new"
    try:
        plain = {name: value.contiguous().cpu() for name, value in tensors.items()}
        save_file(plain, scratch, metadata={STATE: json.dumps(state)})
        with scratch.open("rb+") as written:
            os.fsync(written.fileno())
    except (OSError, SafetensorError) as error:
        scratch.unlink(missing_ok=True)
        reason = "the disk is full" if is_disk_full(error) or "os error 28" in str(error) else str(error)
        do = "Free some space and run again: it goes on from the last save"
        raise TrainingError(
            f"the training state cannot be saved: {reason}", where=str(folder), do=do, exit_code=1
        ) from error
    scratch.replace(folder / older)
    _sync_folder(folder)


def load(folder: Path, model: torch.nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
    """Put the latest readable weights into the model; the optimizer's tensors and the state, or None at a start.

    A damaged generation falls back to the one before. Raises TrainingError when files are there and none is readable.
    """
    here = [folder / name for name in GENERATIONS if (folder / name).exists()]
    for file in sorted(here, key=_step, reverse=True):
        state = _state(file)
        if state is None:
            continue
        try:
            tensors = load_file(file)
        except (SafetensorError, OSError):
            continue
        model.load_state_dict({n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")})
        return {n.removeprefix("optimizer."): t for n, t in tensors.items() if n.startswith("optimizer.")}, state
    if here:
        do = "Delete the folder to train from the start"
        raise TrainingError("no saved training state can be read", where=str(folder), do=do, exit_code=1)
    return None


def cut_records(file: Path, step: int) -> None:
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


def _step(file: Path) -> int:
    """The step of a generation; -1 when it is absent or damaged."""
    state = _state(file)
    return -1 if state is None else int(state["step"])


def _state(file: Path) -> dict[str, Any] | None:
    try:
        with safe_open(file, framework="pt") as tensors:
            return json.loads((tensors.metadata() or {})[STATE])
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError):
        return None


def _sync_folder(folder: Path) -> None:
    """A rename is on disk once its folder is (not possible, and not needed, on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

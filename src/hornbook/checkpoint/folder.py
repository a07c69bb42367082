"""A model on disk: a Hugging Face folder, complete or absent, that needs nothing outside itself."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from hornbook.checkpoint import huggingface
from hornbook.checkpoint.card import model_card
from hornbook.core.errors import CheckpointError, is_disk_full
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings

WEIGHTS = "model.safetensors"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
END_OF_TURN = "<|im_end|>"


def save(
    folder: Path,
    model: Decoder,
    tokenizer_folder: Path | None,
    *,
    card: dict[str, Any],
    generation: dict[str, Any] | None = None,
) -> None:
    """Write the model and its tokenizer as a Hugging Face folder, weights in fp32, and check what was written.

    Files that the folder already has are kept. They are written and checked beside their final names first;
    `config.json` is renamed last, so an interrupted save is a folder without one. `generation` overrides entries of
    `generation_config.json`. Raises CheckpointError when the weights are not finite, the vocabulary is smaller than
    the tokenizer's, the disk is full, or the reloaded model gives other logits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / ".writing"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        _write(partial, model, tokenizer_folder, card, generation)
        check(partial, model)
        for name in sorted((path.name for path in partial.iterdir()), key=lambda name: (name == "config.json", name)):
            os.replace(partial / name, folder / name)
    except Exception as error:
        if is_disk_full(error):
            do = "Free some space and run again"
            raise CheckpointError("the disk is full", where=str(folder), do=do, exit_code=1) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load(folder: Path, device: torch.device | str = "cpu", compute_dtype: torch.dtype = torch.float32) -> Decoder:
    """The decoder of a Hugging Face folder, ours or foreign, with fp32 weights.

    Raises CheckpointError when a file is missing or damaged, or the model is of a kind this decoder cannot be.
    """
    folder = Path(folder)
    model = Decoder(settings_of(folder), compute_dtype=compute_dtype, seed=None)
    huggingface.fill(model, _read_weights(folder), str(folder))
    return model.to(device)


def settings_of(folder: Path) -> ModelSettings:
    """The sizes of the model in a folder, without reading its weights."""
    return huggingface.settings_from(_read_json(Path(folder) / "config.json"), str(Path(folder) / "config.json"))


def stop_ids(folder: Path) -> tuple[int, ...]:
    """The ids that end an answer, as `generation_config.json` (or the config) says; empty when neither does."""
    for name in ("generation_config.json", "config.json"):
        if (Path(folder) / name).exists():
            found = _read_json(Path(folder) / name).get("eos_token_id")
            if found is not None:
                return tuple(found) if isinstance(found, list) else (int(found),)
    return ()


@torch.no_grad()
def check(folder: Path, model: Decoder) -> None:
    """Compare the logits of the folder, read back, with the model's own plain fp32 forward.

    Raises CheckpointError when they differ by more than 1e-5 of the largest logit (or of 1).
    """
    settings = model.settings
    reloaded = load(folder)
    num_tokens = min(24, settings.max_tokens)
    generator = torch.Generator().manual_seed(0)
    ids_BT = torch.randint(0, settings.vocab_size, (2, num_tokens), generator=generator)
    with _plain_fp32(model):
        device = model.embedding.device
        logits_BTV = model(ids_BT.to(device)).float().cpu()
    difference = (reloaded(ids_BT) - logits_BTV).abs().max().item()
    if not difference <= 1e-5 * max(1.0, logits_BTV.abs().max().item()):
        found = f"the written model gives other logits than the one in memory (by up to {difference:.2g})"
        raise CheckpointError(found, where=str(folder), do="The disk or the memory is unreliable", exit_code=1)


@contextlib.contextmanager
def _plain_fp32(model: Decoder) -> Iterator[None]:
    """Compute in fp32 for a moment (fp64 weights stay fp64)."""
    before = model.compute_dtype
    model.compute_dtype = torch.promote_types(model.embedding.dtype, torch.float32)
    try:
        yield
    finally:
        model.compute_dtype = before


def _write(
    folder: Path,
    model: Decoder,
    tokenizer_folder: Path | None,
    card: dict[str, Any],
    generation: dict[str, Any] | None,
) -> None:
    from safetensors.torch import save_file

    weights = huggingface.weights_of(model)
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            do = "Training has diverged; lower the learning rate or start from an earlier checkpoint"
            raise CheckpointError(f"weight {name} is not finite", where=str(folder.parent), do=do)
    ids, stops = _copy_tokenizer(folder, tokenizer_folder, model.settings)
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    _write_json(folder / "generation_config.json", {**ids, "eos_token_id": stops, **(generation or {})})
    (folder / "README.md").write_text(model_card(card, model.settings), encoding="utf-8")
    _write_json(folder / "config.json", huggingface.config_of(model.settings, ids))


def _copy_tokenizer(
    folder: Path, source: Path | None, settings: ModelSettings
) -> tuple[dict[str, int], list[int] | None]:
    """Copy the tokenizer's files; its special ids for the config, and all ids that end an answer."""
    if source is None:
        return {}, None
    source = Path(source)
    for name in TOKENIZER_FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, folder / name)
    if not (folder / "tokenizer.json").exists():
        do = "Point to a folder with a tokenizer.json"
        raise CheckpointError("there is no tokenizer.json", where=str(source), do=do)
    ids = _token_ids(_read_json(folder / "tokenizer.json"))
    if max(ids.values(), default=0) >= settings.vocab_size:
        found = f"the tokenizer has ids up to {max(ids.values())}, the model only {settings.vocab_size} rows"
        raise CheckpointError(found, where=str(source), do="Use the tokenizer that the model was trained with")
    config = _read_json(source / "tokenizer_config.json") if (source / "tokenizer_config.json").exists() else {}
    special = {f"{kind}_token_id": _id_of(config.get(f"{kind}_token"), ids) for kind in ("bos", "eos", "pad")}
    known = {name: index for name, index in special.items() if index is not None}
    stops = list(stop_ids(source))
    for index in (known.get("eos_token_id"), ids.get(END_OF_TURN)):
        if index is not None and index not in stops:
            stops.append(index)
    return known, stops or None


def _token_ids(tokenizer: dict[str, Any]) -> dict[str, int]:
    vocab = tokenizer.get("model", {}).get("vocab") or {}
    ids = dict(vocab) if isinstance(vocab, dict) else {item[0]: index for index, item in enumerate(vocab)}
    return ids | {token["content"]: token["id"] for token in tokenizer.get("added_tokens", ())}


def _id_of(token: Any, ids: dict[str, int]) -> int | None:
    """Special tokens are written as a string, or as a table with its content."""
    return ids.get(token["content"] if isinstance(token, dict) else token) if token else None


def _read_weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if (folder / f"{WEIGHTS}.index.json").exists():
        shards = sorted(set(_read_json(folder / f"{WEIGHTS}.index.json")["weight_map"].values()))
    else:
        shards = [WEIGHTS]
    weights: dict[str, torch.Tensor] = {}
    for shard in shards:
        if not (folder / shard).exists():
            do = "Give a folder with safetensors weights; older .bin files are not read"
            raise CheckpointError(f"there is no {shard}", where=str(folder), do=do)
        try:
            weights |= load_file(folder / shard)
        except (SafetensorError, OSError) as error:
            raise CheckpointError(f"{shard} is damaged: {error}", where=str(folder), do="Copy it again") from None
    return weights


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        do = "Give a complete Hugging Face model folder"
        raise CheckpointError(f"there is no {path.name}", where=str(path.parent), do=do) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path.name} cannot be read: {error}", where=str(path.parent)) from None
    if not isinstance(found, dict):
        raise CheckpointError(f"{path.name} is not a JSON object", where=str(path.parent))
    return found


def _write_json(path: Path, value: dict[str, Any]) -> None:
    kept = {name: item for name, item in value.items() if item is not None or name in ("sliding_window",)}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")

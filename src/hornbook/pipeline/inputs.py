"""What stages read from disk besides each other: hashed by content, measured in bytes, adopted when foreign."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pydantic

from hornbook.core.artifact import MANIFEST, Artifact, Manifest, files_of, hash_files, open_artifact, write_json
from hornbook.core.errors import ArtifactError, HornbookError
from hornbook.core.settings import HUB_PREFIX, input_fields, resolve_input

FOREIGN = {"checkpoint": "config.json", "tokenizer": "tokenizer.json"}
REMEMBERED = 200


def input_values(settings: pydantic.BaseModel) -> list[tuple[str, str]]:
    """Every `InputPath` in the settings, however deep, as (dotted name of the setting, value)."""
    found: list[tuple[str, str]] = []
    marked = input_fields(type(settings))
    for name in type(settings).model_fields:
        found += _values(name, getattr(settings, name), name in marked)
    return found


def check_inputs(settings: pydantic.BaseModel, where: str) -> list[str]:
    """What is wrong with the paths in the settings, one sentence each (empty when every path exists)."""
    mistakes: list[str] = []
    for name, value in input_values(settings):
        if value.startswith(HUB_PREFIX):
            continue
        try:
            resolve_input(value)
        except HornbookError as error:
            mistakes.append(f"{where}, {name}: {error.found} ({error.where})")
    return mistakes


def hashed_settings(settings: pydantic.BaseModel, cache: Path) -> dict[str, Any]:
    """The settings as plain values in which every `InputPath` is replaced by a hash of the contents it names."""
    hashes = {value: content_hash(value, cache) for _, value in input_values(settings)}
    return _replaced(settings, hashes)


def content_hash(value: str, cache: Path) -> str:
    """A hash over names and bytes of the file or folder that an `InputPath` means.

    Remembered in `cache`/inputs.json by name, size and change time of every file, so that only new data is read.
    A hub name stands for itself.
    """
    if value.startswith(HUB_PREFIX):
        return value
    root = resolve_input(value)
    files = files_of(root)
    looks = hashlib.blake2b(digest_size=16)
    for file in files:
        stat = file.stat()
        looks.update(
            f"{file}\x00{stat.st_size}\x00{stat.st_mtime_ns}\x00{stat.st_ino}\x00".encode("utf-8", "surrogateescape")
        )
    memory_file = cache / "inputs.json"
    memory = _remembered(memory_file)
    if looks.hexdigest() in memory:
        return memory[looks.hexdigest()]
    found = hash_files(files, root if root.is_dir() else root.parent)
    kept = dict(list(memory.items())[-REMEMBERED:]) | {looks.hexdigest(): found}
    write_json(memory_file, kept)
    return found


def input_bytes(settings: pydantic.BaseModel) -> int:
    """Bytes on disk of everything the settings name (hub names count nothing: they are not here yet)."""
    values = [value for _, value in input_values(settings) if not value.startswith(HUB_PREFIX)]
    return sum(folder_bytes(resolve_input(value)) for value in values)


def folder_bytes(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    return sum(file.stat().st_size for file in files_of(path)) if path.exists() else 0


def adopt(value: str, kinds: tuple[str, ...]) -> Artifact:
    """The artifact at a path that a recipe reads: one of ours, another's model or tokenizer folder, or a chat log.

    Raises ArtifactError when nothing is there or it is of another kind.
    """
    path = resolve_input(value)
    if (path / MANIFEST).exists():
        return open_artifact(path, "|".join(kinds))
    for kind in kinds:
        if kind in FOREIGN and (path / FOREIGN[kind]).exists():
            return Artifact(path, Manifest(kind=kind, stage="(brought)", sources=[path.name]))
    if "conversations" in kinds and path.is_file() and path.suffix == ".jsonl":
        return Artifact(path, Manifest(kind="conversations", stage="(brought)", sources=[path.name]))
    wanted = " or ".join(kinds)
    needs = [FOREIGN[kind] for kind in kinds if kind in FOREIGN]
    hint = f"a folder with {needs[0]} would do too" if needs else "Give the folder of a finished stage"
    raise ArtifactError(f"this is not {wanted}: it has no {MANIFEST}", where=str(path), do=hint)


def adopted_hash(artifact: Artifact, cache: Path) -> str:
    """The payload hash of an artifact read by path; computed (and remembered) for a foreign folder."""
    return artifact.manifest.payload_hash or content_hash(str(artifact.path), cache)


def _remembered(file: Path) -> dict[str, str]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return data if isinstance(data, dict) else {}
    except (OSError, ValueError):
        return {}


def _values(name: str, value: Any, marked: bool) -> list[tuple[str, str]]:
    if isinstance(value, pydantic.BaseModel):
        return [(f"{name}.{inner}", path) for inner, path in input_values(value)]
    if isinstance(value, (tuple, list)):
        return [item for i, part in enumerate(value) for item in _values(f"{name}[{i}]", part, marked)]
    if isinstance(value, dict):
        return [item for key, part in value.items() for item in _values(f"{name}.{key}", part, marked)]
    return [(name, value)] if marked and isinstance(value, str) and value else []


def _replaced(settings: pydantic.BaseModel, hashes: dict[str, str]) -> dict[str, Any]:
    marked = input_fields(type(settings))
    names = type(settings).model_fields
    return {name: _plain(getattr(settings, name), hashes if name in marked else None, hashes) for name in names}


def _plain(value: Any, here: dict[str, str] | None, hashes: dict[str, str]) -> Any:
    if isinstance(value, pydantic.BaseModel):
        return _replaced(value, hashes)
    if isinstance(value, (tuple, list)):
        return [_plain(item, here, hashes) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, here, hashes) for key, item in value.items()}
    if here is not None and isinstance(value, str):
        return {"contents": here[value]} if value in here else value
    return value

"""The lock: what a recipe has become on this machine, decided once and kept until the recipe changes."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from hornbook.core.errors import SettingsError

LOCK = "recipe.lock.toml"


@dataclass(frozen=True)
class Locked:
    """One stage's resolved settings and derived values. `asked`: hash of what the recipe asked when it was resolved."""

    asked: str
    run: str
    settings: dict[str, Any]
    derived: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Lock:
    """Device, number format and compile mode in words, and every stage's frozen settings, by id."""

    device: str = ""
    stages: dict[str, Locked] = field(default_factory=dict[str, Locked])


def read_lock(folder: Path) -> Lock:
    """The lock of a run; an empty one when there is none. Raises SettingsError when it cannot be read."""
    file = folder / LOCK
    if not file.exists():
        return Lock()
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        stages = {
            item["id"]: Locked(
                item["asked"],
                item["run"],
                _with_none(item.get("settings", {}), item.get("unset", [])),
                item.get("derived", {}),
            )
            for item in data.get("stage", [])
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"the lock cannot be read: {error}", where=str(file), do="Delete it: it is made again from the recipe"
        ) from None
    return Lock(data.get("device", ""), stages)


def write_lock(folder: Path, lock: Lock) -> None:
    """Write the lock, complete or not at all."""
    tables: list[dict[str, Any]] = []
    for identity, locked in lock.stages.items():
        settings, unset = _without_none(locked.settings, "")
        table: dict[str, Any] = {"id": identity, "run": locked.run, "asked": locked.asked}
        if unset:
            table["unset"] = unset
        table["settings"] = settings
        if locked.derived:
            table["derived"] = _without_none(locked.derived, "")[0]
        tables.append(table)
    text = "# Written by hornbook: the recipe as resolved for this machine. Delete it to resolve again.\n"
    text += tomli_w.dumps({"device": lock.device, "stage": tables})
    scratch = folder / f".{LOCK}.new"
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(folder / LOCK)


def _without_none(table: dict[str, Any], prefix: str) -> tuple[dict[str, Any], list[str]]:
    """TOML has no null: the table without its None values, and their dotted names."""
    kept: dict[str, Any] = {}
    unset: list[str] = []
    for key, value in table.items():
        if value is None:
            unset.append(prefix + key)
        elif isinstance(value, dict):
            kept[key], below = _without_none(value, f"{prefix}{key}.")
            unset += below
        else:
            kept[key] = _toml(value)
    return kept, unset


def _toml(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_without_none(item, "")[0] if isinstance(item, dict) else _toml(item) for item in value]
    return value


def _with_none(table: dict[str, Any], unset: list[str]) -> dict[str, Any]:
    for name in unset:
        *path, last = name.split(".")
        here = table
        for part in path:
            here = here[part]
        here[last] = None
    return table

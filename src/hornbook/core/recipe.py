"""Recipes: the TOML file that is the whole truth of a run."""

import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hornbook.core.errors import SettingsError
from hornbook.core.settings import StrictSettings, did_you_mean, parse

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
DOT = re.compile(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)')  # outside quotation marks
TOP_LEVEL = ("name", "seed", "stage", "profile", "machine")


class Machine(StrictSettings):
    """How this machine does the work; never part of a fingerprint."""

    workers: int = 0
    """Worker processes for data stages; 0 = one for each core (of the whole cluster with `runner = "ray"`)."""
    threads: int = 0
    """Threads for training and generation; 0 = chosen by a short trial and watched."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `mps`."""
    runner: str = "process"
    """Where data stages run: `process` (this machine) or `ray` (a cluster)."""
    cache: str = ""
    """Folder for compiled code and machine measurements; empty = HORNBOOK_CACHE, else the user's cache folder."""

    @property
    def num_workers(self) -> int:
        """Worker processes to use, at least one."""
        if self.workers:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def cache_folder(self) -> Path:
        """The cache folder, made when it is missing."""
        default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hornbook"
        folder = Path(self.cache or os.environ.get("HORNBOOK_CACHE", "") or default)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True)
class StageEntry:
    """One `[[stage]]`: its id, the stage's name (`data.filter`, or a local file), what it reads, its settings.

    `read`: input name -> ids of earlier stages or paths of artifacts (one or more).
    """

    id: str
    run: str
    read: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    settings: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Recipe:
    """A recipe after profile and overrides: `stages` in order are the pipeline."""

    name: str
    seed: int
    stages: tuple[StageEntry, ...]
    machine: Machine = field(default_factory=Machine)
    source: str = ""

    def stage(self, identity: str) -> StageEntry:
        """The stage with this id. Raises SettingsError with the nearest id."""
        for entry in self.stages:
            if entry.id == identity:
                return entry
        known = [entry.id for entry in self.stages]
        raise SettingsError(f'no stage has the id "{identity}"{did_you_mean(identity, known)}', where=self.source)


def load_recipe(path: Path, profile: str | None = None, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe; then the profile; then each `id.key=value` (or `machine.key`, `seed`, `name`) override.

    Raises SettingsError for anything that is not a well-formed recipe, naming the file.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError("there is no recipe here", where=str(path), do="Check the path") from None
    except IsADirectoryError:
        raise SettingsError("this is a folder, not a recipe file", where=str(path)) from None
    except UnicodeDecodeError:
        raise SettingsError("the recipe is not UTF-8 text", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the recipe is not valid TOML: {error}", where=str(path)) from None
    return build_recipe(data, str(path), profile, overrides)


def build_recipe(
    data: dict[str, Any], source: str, profile: str | None = None, overrides: Sequence[str] = ()
) -> Recipe:
    """A recipe from decoded TOML. `source` names it in messages."""
    for key in data:
        if key not in TOP_LEVEL:
            raise SettingsError(f'unknown key "{key}"{did_you_mean(key, list(TOP_LEVEL))}', where=source)
    recipe = Recipe(
        name=_name(data.get("name", Path(source).stem), "name", source),
        seed=_seed(data.get("seed", 0), source),
        stages=_stages(data.get("stage", []), source),
        machine=parse(Machine, data.get("machine", {}), f"{source}, [machine]"),
        source=source,
    )
    if profile is not None:
        recipe = _apply_profile(recipe, data.get("profile", {}), profile)
    for text in overrides:
        recipe = _override(recipe, *parse_override(text))
    return recipe


def parse_override(text: str) -> tuple[str, Any]:
    """`base.total_tokens=200_000` -> the dotted name and the value (TOML; a bare word is a string)."""
    name, equals, value = text.partition("=")
    if not equals or ("." not in name and name not in ("seed", "name")):
        raise SettingsError(f'"{text}" is not an override', where="--set", do="Write --set id.key=value")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as TOML with every profile and override applied (without `[machine]`)."""
    import tomli_w

    stages: list[dict[str, Any]] = []
    for entry in recipe.stages:
        table: dict[str, Any] = {"id": entry.id, "run": entry.run}
        if entry.read:
            table["read"] = {name: ids[0] if len(ids) == 1 else list(ids) for name, ids in entry.read.items()}
        stages.append(table | _without_none(entry.settings))
    return tomli_w.dumps({"name": recipe.name, "seed": recipe.seed, "stage": stages})


def _stages(items: Any, source: str) -> tuple[StageEntry, ...]:
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise SettingsError("the recipe has no [[stage]]", where=source, do='Add one: [[stage]] id = "…" run = "…"')
    entries = tuple(_stage(item, position, source) for position, item in enumerate(items, 1))
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise SettingsError(f'two stages have the id "{entry.id}"', where=source, do="Give each its own")
        seen.add(entry.id)
    return entries


def _stage(item: dict[str, Any], position: int, source: str) -> StageEntry:
    where = f"{source}, [[stage]] number {position}"
    for key in ("id", "run"):
        if not isinstance(item.get(key), str):
            raise SettingsError(f'a stage needs "{key}" as a string, found {item.get(key)!r}', where=where)
    read = item.get("read", {})
    if not isinstance(read, dict):
        raise SettingsError(f'"read" names inputs: read.documents = "id"; found {read!r}', where=where)
    settings = {key: value for key, value in item.items() if key not in ("id", "run", "read")}
    inputs = {name: _ids(value, name, where) for name, value in read.items()}
    return StageEntry(_name(item["id"], "id", where), item["run"], inputs, settings)


def _ids(value: Any, name: str, where: str) -> tuple[str, ...]:
    ids = tuple(value) if isinstance(value, list) else (value,)
    if not ids or not all(isinstance(item, str) for item in ids):
        raise SettingsError(f"read.{name} names stages or paths, found {value!r}", where=where)
    return ids


def _name(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value) or value in ("machine", "profile"):
        raise SettingsError(
            f'"{key}" is {value!r}', where=where, do="Use letters, digits, - and _, beginning with a letter or digit"
        )
    return value


def _seed(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise SettingsError(f'"seed" is a whole number of at least 0, found {value!r}', where=where)
    return value


def _apply_profile(recipe: Recipe, profiles: dict[str, Any], profile: str) -> Recipe:
    if profile not in profiles:
        hint = did_you_mean(profile, list(profiles)) or "; it has none"
        raise SettingsError(f'the recipe has no profile "{profile}"{hint}', where=recipe.source)
    for identity, table in profiles[profile].items():
        if not isinstance(table, dict):
            recipe = _override(recipe, identity, table)
            continue
        for key, value in table.items():
            recipe = _override(recipe, f"{identity}.{key}", value)
    return recipe


def _override(recipe: Recipe, name: str, value: Any) -> Recipe:
    first, *rest = _parts(name)
    if name == "seed":
        return replace(recipe, seed=_seed(value, "--set"))
    if name == "name":
        return replace(recipe, name=_name(value, "name", "--set"))
    if not rest:
        raise SettingsError(f'"{name}" is not a stage\'s setting', where=recipe.source, do="Write id.key = value")
    if first == "machine":
        machine = parse(Machine, _merge(recipe.machine.model_dump(), rest, value), "[machine]")
        return replace(recipe, machine=machine)
    entry = recipe.stage(first)
    if rest[0] == "read":
        changed = replace(entry, read=entry.read | {rest[1]: _ids(value, rest[1], name)})
    else:
        changed = replace(entry, settings=_merge(entry.settings, rest, value))
    return replace(recipe, stages=tuple(changed if e is entry else e for e in recipe.stages))


def _parts(name: str) -> list[str]:
    """The parts of a dotted name; one with dots of its own stands in quotation marks, as in TOML.

    >>> _parts('clean.rule."./mine.py".limit')
    ['clean', 'rule', './mine.py', 'limit']
    """
    return [part.strip('"') for part in DOT.split(name)]


def _merge(table: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A copy of `table` with `value` at the dotted path; a table merges into a table that is there."""
    head, *rest = path
    below = table.get(head)
    if rest:
        return table | {head: _merge(below if isinstance(below, dict) else {}, rest, value)}
    if isinstance(value, dict) and isinstance(below, dict):
        merged = dict(below)
        for key, inner in value.items():
            merged = _merge(merged, [key], inner)
        return table | {head: merged}
    return table | {head: value}


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }

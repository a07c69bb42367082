"""Find filters by name: a module of `hornbook.data.filters`, or a file of the user's own. No registration.

A filter offers `Settings`, `RULES` and `decide(document, settings)`. One that needs something big (a model, a block
list from a file) offers `load(settings)` too; what it returns is made once in each worker and is the third argument of
`decide`. Files that its settings name (`InputPath`) belong to the stage's fingerprint by their contents.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from hornbook.core.artifact import files_of, hash_files
from hornbook.core.document import Decision, Document, Drop, Edit
from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.core.own_code import load_own
from hornbook.core.settings import StrictSettings, did_you_mean, input_fields, parse, resolve_input
from hornbook.data.limits import Rule, with_limits

Decide = Callable[[Document], Decision]
LOADED_KEPT = 8


def known_filters() -> list[str]:
    """Names of the built-in filters."""
    import hornbook.data.filters

    return sorted(module.name for module in pkgutil.iter_modules(hornbook.data.filters.__path__))


def is_local(name: str) -> bool:
    """Whether a rule is a file of the user's."""
    return name.endswith(".py") or "/" in name


def contents_of(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Hashes of the files that decide besides settings, so that a changed file is another recipe.

    `./my_filter.py`: the code of a rule that is the user's own; `blocklist.path`: a file that a rule's settings name.
    """
    files = {name: _file(name) for name in names if is_local(name)}
    for name, settings in settings_of(names, tables).items():
        for setting in input_fields(type(settings)):
            value = getattr(settings, setting)
            for path in (value,) if isinstance(value, str) else value or ():
                try:
                    files[f"{name}.{setting} {path}"] = resolve_input(path)
                except ArtifactError as error:
                    error.where = f"rule {name}, {setting}; {error.where}"
                    raise
    return {name: hash_files(files_of(path), path if path.is_dir() else path.parent) for name, path in files.items()}


def find_filter(name: str) -> ModuleType:
    """The module of a filter. Raises SettingsError when there is none, or when it lacks a part."""
    module = load_own(_file(name), name, "data.filter, rules")[0] if is_local(name) else _built_in(name)
    for part in ("Settings", "RULES", "decide"):
        if not hasattr(module, part):
            raise SettingsError(f'the filter "{name}" has no {part}', do="A filter offers Settings, RULES and decide")
    return module


def settings_of(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> dict[str, StrictSettings]:
    """Each rule's settings, in order; nothing is loaded.

    Raises SettingsError for unknown rules or settings, and for a rule that is there twice: a table of settings could
    not say which of the two it means.
    """
    for name in tables:
        if name not in names:
            raise SettingsError(
                f'there are settings for the rule "{name}", which is not in rules{did_you_mean(name, list(names))}',
                where="data.filter",
            )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        do = "Give each rule once; a second data.filter stage may have it again"
        raise SettingsError(f'the rule "{twice[0]}" is in rules twice', where="data.filter, rules", do=do)
    return {name: parse(find_filter(name).Settings, tables.get(name, {}), f"rule {name}") for name in names}


def prepare(
    names: Sequence[str], tables: dict[str, dict[str, Any]], contents: Mapping[str, str] | None = None
) -> list[Decide]:
    """Each rule ready to decide about a document, in order, with what it needs loaded.

    `contents`: from `contents_of`. With it, what a rule loads is kept in this process for whoever asks for the same
    rule with the same settings and files again: the next shard, another profile.
    """
    return [_bound(name, settings, contents) for name, settings in settings_of(names, tables).items()]


def _bound(name: str, settings: StrictSettings, contents: Mapping[str, str] | None) -> Decide:
    module = find_filter(name)
    decide: Callable[..., Decision] = _with_known_rules(name, module) if is_local(name) else module.decide
    if not hasattr(module, "load"):
        return lambda document: decide(document, settings)
    if contents is None:
        loaded = module.load(settings)
    else:
        own = tuple((key, value) for key, value in contents.items() if key == name or key.startswith(f"{name}."))
        loaded = _loaded(_Need(name, settings.model_dump_json(), own, module, settings))
    return lambda document: decide(document, settings, loaded)


@dataclass(frozen=True)
class _Need:
    """What a rule loads, told from others by its name, its settings and the hashes of its files."""

    name: str
    settings_json: str
    contents: tuple[tuple[str, str], ...]
    module: ModuleType = field(compare=False)
    settings: StrictSettings = field(compare=False)


@lru_cache(maxsize=LOADED_KEPT)
def _loaded(need: _Need) -> Any:
    return need.module.load(need.settings)


def forget_loaded() -> None:
    """Let go of what rules have loaded in this process: the stages that follow need the memory."""
    _loaded.cache_clear()


def _with_known_rules(name: str, module: ModuleType) -> Callable[..., Decision]:
    """A filter of the user's own, held to what the report and `hornbook why` rely on: its rules are in its RULES."""

    def decide(*given: Any) -> Decision:
        decision: Decision = module.decide(*given)
        named = (
            (decision.rule,) if isinstance(decision, Drop) else decision.counts if isinstance(decision, Edit) else ()
        )
        for rule in named:
            if rule not in module.RULES:
                do = f'Add "{rule}": "what it means (value: what was measured)" to RULES'
                raise SettingsError(f'the filter "{name}" names the rule "{rule}", which is not in its RULES', do=do)
        return decision

    return decide


def rules_with_limits(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> dict[str, Rule]:
    """What every rule of these filters means, with the setting that decides about it and its value."""
    found: dict[str, Rule] = {}
    for name, settings in settings_of(names, tables).items():
        key = f'"{name}"' if "." in name else name  # as TOML and `--set` write it
        found |= with_limits(find_filter(name).RULES, settings.model_dump(), f"rule.{key}.")
    return found


def _built_in(name: str) -> ModuleType:
    known = known_filters()
    if name not in known:
        raise SettingsError(
            f'no filter is called "{name}"{did_you_mean(name, known)}',
            where="data.filter, rules",
            do="Your own filter is given by its path: ./my_filter.py",
        )
    return importlib.import_module(f"hornbook.data.filters.{name}")


def _file(name: str) -> Path:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise SettingsError(f'no file is at "{name}"', where=f"data.filter, rules: looked at {path}")
    return path

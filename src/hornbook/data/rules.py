"""Find filters by name: a module of `hornbook.data.filters`, or a file of the user's own. No registration.

A filter offers `Settings`, `RULES` and `decide(document, settings)`. One that needs something big (a model, a block
list from a file) offers `load(settings)` too; what it returns is made once in each worker and is the third argument of
`decide`. Files that its settings name (`InputPath`) belong to the stage's fingerprint by their contents.
"""

import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hornbook.core.document import Decision, Document
from hornbook.core.errors import ArtifactError, SettingsError
from hornbook.core.settings import StrictSettings, did_you_mean, input_fields, parse, resolve_input
from hornbook.data.limits import Rule, with_limits

Decide = Callable[[Document], Decision]


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
        for field in input_fields(type(settings)):
            value = getattr(settings, field)
            for path in (value,) if isinstance(value, str) else value or ():
                try:
                    files[f"{name}.{field} {path}"] = resolve_input(path)
                except ArtifactError as error:
                    error.where = f"rule {name}, {field}; {error.where}"
                    raise
    return {name: _content_hash(path) for name, path in files.items()}


def _content_hash(path: Path) -> str:
    """A hash over the bytes of a file, or over names and bytes of a folder."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        digest.update(f"{file.relative_to(path).as_posix()}\x00{file.stat().st_size}\x00".encode())
        with file.open("rb") as data:
            while block := data.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def find_filter(name: str) -> ModuleType:
    """The module of a filter. Raises SettingsError when there is none, or when it lacks a part."""
    module = _load(name) if is_local(name) else _built_in(name)
    for part in ("Settings", "RULES", "decide"):
        if not hasattr(module, part):
            raise SettingsError(f'the filter "{name}" has no {part}', do="A filter offers Settings, RULES and decide")
    return module


def settings_of(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> dict[str, StrictSettings]:
    """Each rule's settings, in order; nothing is loaded. Raises SettingsError for unknown rules or settings."""
    for name in tables:
        if name not in names:
            raise SettingsError(
                f'there are settings for the rule "{name}", which is not in rules{did_you_mean(name, list(names))}',
                where="data.filter",
            )
    return {name: parse(find_filter(name).Settings, tables.get(name, {}), f"rule {name}") for name in names}


def prepare(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> list[Decide]:
    """Each rule ready to decide about a document, in order, with what it needs loaded."""
    return [_bound(find_filter(name), settings) for name, settings in settings_of(names, tables).items()]


def _bound(module: ModuleType, settings: StrictSettings) -> Decide:
    if not hasattr(module, "load"):
        return lambda document: module.decide(document, settings)
    loaded = module.load(settings)
    return lambda document: module.decide(document, settings, loaded)


def rules_table(names: Sequence[str]) -> dict[str, str]:
    """What every rule of these filters means, and where it comes from."""
    return {rule: about for name in names for rule, about in find_filter(name).RULES.items()}


def rules_with_limits(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> dict[str, Rule]:
    """The same, each with the setting that decides about it and its value."""
    found: dict[str, Rule] = {}
    for name, settings in settings_of(names, tables).items():
        found |= with_limits(find_filter(name).RULES, settings.model_dump(), f"rule.{name}.")
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


def _load(name: str) -> ModuleType:
    path = _file(name)
    spec = importlib.util.spec_from_file_location(f"hornbook_local_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SettingsError(f'"{name}" is not a Python file', where="data.filter, rules")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SettingsError(f"it does not import: {type(error).__name__}: {error}", where=str(path)) from error
    return module

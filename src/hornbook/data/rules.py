"""Find filters by name: a module of `hornbook.data.filters`, or a file of the user's own. No registration."""

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
from hornbook.core.errors import SettingsError
from hornbook.core.settings import StrictSettings, did_you_mean, parse

Decide = Callable[[Document, Any], Decision]


def known_filters() -> list[str]:
    """Names of the built-in filters."""
    import hornbook.data.filters

    return sorted(module.name for module in pkgutil.iter_modules(hornbook.data.filters.__path__))


def is_local(name: str) -> bool:
    """Whether a rule is a file of the user's."""
    return name.endswith(".py") or "/" in name


def code_of(names: Sequence[str]) -> dict[str, str]:
    """A hash of the code of every rule that is the user's own file, so that a changed file is another recipe."""
    return {n: hashlib.blake2b(_file(n).read_bytes(), digest_size=16).hexdigest() for n in names if is_local(n)}


def find_filter(name: str) -> ModuleType:
    """The module of a filter. Raises SettingsError when there is none, or when it lacks a part."""
    module = _load(name) if is_local(name) else _built_in(name)
    for part in ("Settings", "RULES", "decide"):
        if not hasattr(module, part):
            raise SettingsError(f'the filter "{name}" has no {part}', do="A filter offers Settings, RULES and decide")
    return module


def prepare(names: Sequence[str], tables: dict[str, dict[str, Any]]) -> list[tuple[Decide, StrictSettings]]:
    """Each rule's `decide` with its settings, in order. Raises SettingsError for unknown rules or settings."""
    for name in tables:
        if name not in names:
            raise SettingsError(
                f'there are settings for the rule "{name}", which is not in rules{did_you_mean(name, list(names))}',
                where="data.filter",
            )
    chain: list[tuple[Decide, StrictSettings]] = []
    for name in names:
        module = find_filter(name)
        chain.append((module.decide, parse(module.Settings, tables.get(name, {}), f"rule {name}")))
    return chain


def rules_table(names: Sequence[str]) -> dict[str, str]:
    """What every rule of these filters means, and where it comes from."""
    return {rule: about for name in names for rule, about in find_filter(name).RULES.items()}


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

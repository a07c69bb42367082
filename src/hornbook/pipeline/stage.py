"""Stages by name: `data.filter` is the module hornbook.data.filter, `./my_stage.py` a file of the user's own."""

import ast
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import hornbook
from hornbook.core.artifact import KINDS
from hornbook.core.errors import SettingsError
from hornbook.core.own_code import load_own
from hornbook.core.settings import StrictSettings, did_you_mean

PARTS = ("Settings", "READS", "WRITES", "run")


@dataclass(frozen=True)
class Reading:
    """What one input of a stage accepts: `documents+` is one or more, `tokenizer?` may be absent, `a|b` either."""

    kinds: tuple[str, ...]
    many: bool
    optional: bool

    @property
    def text(self) -> str:
        """`documents or pages`, for messages."""
        return " or ".join(self.kinds)


@dataclass(frozen=True)
class Stage:
    """A stage's module, checked: what it reads and writes, its settings, and what it can do.

    `source_hash`: of the file, for a stage of the user's own (an installed stage has its VERSION instead).
    """

    name: str
    module: ModuleType
    settings: type[StrictSettings]
    reads: dict[str, Reading]
    writes: str
    version: int
    source_hash: str = ""

    @property
    def run(self) -> Callable[..., None]:
        """`run(settings, inputs, out)`."""
        return self.module.run

    @property
    def resolve(self) -> Callable[..., tuple[StrictSettings, dict[str, Any]]] | None:
        """`resolve(settings, *, probe, hints)`, where the stage has derived values."""
        return getattr(self.module, "resolve", None)

    @property
    def describe(self) -> Callable[..., list[Any]] | None:
        """`describe(artifact)`, where the stage says itself what a reader should see."""
        return getattr(self.module, "describe", None)

    @property
    def uses_device(self) -> bool:
        """Whether the device decides what the stage writes (`DEVICE_MATTERS`; models and their scores by default)."""
        return bool(getattr(self.module, "DEVICE_MATTERS", self.writes in ("checkpoint", "scores")))

    @property
    def summary(self) -> str:
        """The first line of the module's docstring."""
        return _summary(self.name, self.module.__doc__ or "")


def parse_reading(text: str) -> Reading:
    """The kinds, number and need that a READS value states.

    >>> parse_reading("pages|documents+?")
    Reading(kinds=('pages', 'documents'), many=True, optional=True)
    """
    bare = text.rstrip("+?")
    marks = text[len(bare) :]
    return Reading(kinds=tuple(bare.split("|")), many="+" in marks, optional="?" in marks)


def load_stage(name: str, folder: Path | None = None, where: str = "") -> Stage:
    """The stage that a recipe's `run = …` names. `folder`: where `./file.py` is looked for, then the current folder.

    Raises SettingsError when there is no such stage or its module lacks a part.
    """
    if name.endswith(".py"):
        return _local_stage(name, folder or Path(), where)
    if not _is_installed(name):
        raise SettingsError(
            f'there is no stage "{name}"{_nearest(name)}', where=where, do="`hornbook stages` lists them"
        )
    return _checked(name, importlib.import_module(f"hornbook.{name}"), where)


def installed_stages() -> dict[str, str]:
    """Every stage of the package and its one-line summary, found by reading the source (nothing is imported)."""
    root = Path(hornbook.__file__).parent
    found: dict[str, str] = {}
    for file in sorted(root.rglob("*.py")):
        if _looks_like_stage(file):
            name = ".".join(file.relative_to(root).with_suffix("").parts)
            found[name] = _summary(name, ast.get_docstring(ast.parse(file.read_bytes())) or "")
    return found


def _summary(name: str, docstring: str) -> str:
    """The first line of a docstring, without a leading `Stage data.filter:` that the reader knows already."""
    line = docstring.strip().partition("\n")[0]
    bare = re.sub(rf"^(the )?stage `?{re.escape(name)}`?:?\s+", "", line, flags=re.IGNORECASE)
    return bare[:1].upper() + bare[1:]


def _is_installed(name: str) -> bool:
    """Whether the package has a module of this name that looks like a stage; nothing is imported."""
    file = Path(hornbook.__file__).parent.joinpath(*name.split(".")).with_suffix(".py")
    return bool(re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)+", name)) and file.is_file() and _looks_like_stage(file)


def _looks_like_stage(file: Path) -> bool:
    text = file.read_bytes()
    return b"\nWRITES" in text and b"\ndef run(" in text


def local_stage_path(name: str, folder: Path) -> Path | None:
    """The file that `./my_stage.py` means: beside the recipe, else in the current folder; None when there is none."""
    for place in (folder / name, Path.cwd() / name):
        if place.is_file():
            return place.resolve()
    return None


def _local_stage(name: str, folder: Path, where: str) -> Stage:
    path = local_stage_path(name, folder)
    if path is None:
        looked = f"{(folder / name).absolute()} and {Path.cwd() / name}"
        raise SettingsError(f'there is no stage file "{name}"', where=where, do=f"It was looked for at {looked}")
    module, source_hash = load_own(path, name, where)
    return _checked(name, module, where, source_hash)


def _checked(name: str, module: ModuleType, where: str, source_hash: str = "") -> Stage:
    missing = [part for part in PARTS if not hasattr(module, part)]
    if missing:
        raise SettingsError(f'"{name}" is not a stage: it has no {" and no ".join(missing)}', where=where)
    reads = {key: parse_reading(text) for key, text in module.READS.items()}
    for kind in {kind for reading in reads.values() for kind in reading.kinds} | {module.WRITES}:
        if kind not in KINDS:
            raise SettingsError(f'the stage "{name}" names the kind "{kind}"{did_you_mean(kind, list(KINDS))}')
    return Stage(
        name=name,
        module=module,
        settings=module.Settings,
        reads=reads,
        writes=module.WRITES,
        version=getattr(module, "VERSION", 1),
        source_hash=source_hash,
    )


def _nearest(name: str) -> str:
    known = list(installed_stages())
    tails = {stage.rpartition(".")[2]: stage for stage in known}
    if name in tails:
        return f'; did you mean "{tails[name]}"?'
    return did_you_mean(name, known)

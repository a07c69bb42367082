"""Strict settings: unknown keys and wrong types are refused with the nearest valid name."""

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import pydantic

from hornbook.core.errors import ArtifactError, HornbookError, SettingsError

HUB_PREFIX = "hub:"
LISTED = "`hornbook stages NAME` lists every setting"


class StrictSettings(pydantic.BaseModel):
    """The settings of one stage or part: frozen, no unknown keys, each field documented by the string under it."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, validate_default=True
    )


class InputMark:
    """Marks a setting as something on disk: its contents, not its name, belong to the fingerprint."""


InputPath = Annotated[str, InputMark()]
"""A local file or folder (relative to HORNBOOK_DATA, then the current folder), or `hub:owner/name`."""

SettingsType = TypeVar("SettingsType", bound=StrictSettings)


def parse(kind: type[SettingsType], data: dict[str, Any], where: str) -> SettingsType:
    """Settings of `kind` from a table of a recipe.

    `where` names the table in messages, `stage "base" (pretrain.causal)`. Raises SettingsError that lists every
    mistake, each with the nearest valid name or the value that was found.
    """
    try:
        return kind.model_validate(_tuples(data))
    except pydantic.ValidationError as error:
        mistakes = [_explain(kind, item) for item in error.errors(include_url=False)]
        first = "; ".join(mistakes)
        raise SettingsError(first, where=where, do=LISTED) from None


def did_you_mean(name: str, known: list[str]) -> str:
    """` Did you mean "x"?`, or the known names when nothing is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known: {', '.join(sorted(known))}" if known else ""


def input_fields(kind: type[pydantic.BaseModel]) -> list[str]:
    """Names of the settings that are inputs on disk (`InputPath`, alone, optional or in a tuple)."""
    return [name for name, field in kind.model_fields.items() if _is_input(field.annotation, field.metadata)]


def resolve_input(value: str) -> Path:
    """The local path that an `InputPath` means: absolute, else below HORNBOOK_DATA, else below the current folder.

    Raises ArtifactError when nothing is there, naming every place that was looked at.
    """
    path = Path(value).expanduser()
    places = [path]
    if not path.is_absolute():
        data = os.environ.get("HORNBOOK_DATA")
        places = [Path(data).expanduser() / path] if data else []
        places.append(Path.cwd() / path)
    for place in places:
        if place.exists():
            return place.resolve()
    looked = ", ".join(str(place) for place in places)
    raise ArtifactError(
        f'nothing is at "{value}"', where=f"looked at {looked}", do="Give an existing path, or set HORNBOOK_DATA"
    )


def _tuples(value: Any) -> Any:
    """TOML arrays as tuples: frozen settings hold tuples, and strict validation refuses lists for them."""
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return value


def _is_input(annotation: Any, metadata: list[Any]) -> bool:
    if any(isinstance(item, InputMark) for item in metadata):
        return True
    for inner in get_args(annotation):
        if isinstance(inner, InputMark) or _is_input(inner, list(getattr(inner, "__metadata__", ()))):
            return True
    return False


def _explain(kind: type[pydantic.BaseModel], item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"]) or "settings"
    if item["type"] == "extra_forbidden":
        return f'unknown setting "{name}"{did_you_mean(str(item["loc"][-1]), _fields_at(kind, item["loc"][:-1]))}'
    if item["type"] == "missing":
        return f'setting "{name}" is missing'
    if item["type"] == "value_error":
        said = _said(item["ctx"]["error"])
        return f'"{name}": {said}' if item["loc"] else said
    return f'"{name}" = {item["input"]!r}: {item["msg"][0].lower()}{item["msg"][1:]}'


def _said(error: Exception) -> str:
    """What a check of the settings found; the advice that is given anyway is left out."""
    if isinstance(error, HornbookError) and error.do == LISTED:
        return error.found + (f" ({error.where})" if error.where else "")
    return str(error)


def _fields_at(kind: type[pydantic.BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Field names of the nested settings at `loc`, as far as plain nesting goes."""
    current: Any = kind
    for part in loc:
        field = getattr(current, "model_fields", {}).get(part)
        models = (
            [m for m in (field.annotation, *get_args(field.annotation)) if hasattr(m, "model_fields")] if field else []
        )
        if not models:
            return []
        current = models[0]
    return list(current.model_fields)

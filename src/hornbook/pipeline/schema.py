"""Settings as tables for people and as JSON schema for editors."""

import collections.abc
import re
from typing import Any, get_args, get_origin

import pydantic
from pydantic_core import PydanticUndefined

from hornbook.core.errors import HornbookError
from hornbook.core.recipe import Machine
from hornbook.core.settings import InputMark
from hornbook.pipeline.stage import installed_stages, load_stage


def setting_rows(kind: type[pydantic.BaseModel], prefix: str = "") -> list[tuple[str, str, str, str]]:
    """(dotted name, type, default, meaning) of every setting, nested ones after the setting that holds them."""
    rows: list[tuple[str, str, str, str]] = []
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
        nested = _nested(field.annotation)
        shown = "" if nested and isinstance(default, pydantic.BaseModel) else _default(default)
        rows.append((prefix + name, type_name(field.annotation, field.metadata), shown, _one_line(field.description)))
        if nested is not None:
            rows += setting_rows(nested, f"{prefix}{name}.")
    return rows


def type_name(annotation: Any, metadata: list[Any] | None = None) -> str:
    """A type as a recipe's writer thinks of it: `text`, `number`, `whole number`, `list of text`, `table`."""
    plain = {str: "text", int: "whole number", float: "number", bool: "true/false", type(None): "nothing"}
    if any(isinstance(item, InputMark) for item in metadata or ()):
        return "path"
    if annotation in plain:
        return plain[annotation]
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return "table"
    arguments = get_args(annotation)
    if annotation is not None and str(annotation).startswith("typing.Literal"):
        return " | ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in arguments)
    inner = list(getattr(annotation, "__metadata__", ()))
    if inner:
        return type_name(arguments[0], inner)
    if _is_list(annotation):
        return f"list of {type_name(arguments[0])}" if arguments else "list"
    if get_origin(annotation) in (dict, collections.abc.Mapping):
        return "table"
    if arguments:
        parts = dict.fromkeys(type_name(part) for part in arguments if part is not type(None))
        return " or ".join(parts)
    return re.sub(r"[\w.]+\.", "", str(annotation))


def recipe_schema() -> dict[str, Any]:
    """The JSON schema of a recipe: `[[stage]]` takes the settings of the stage that its `run` names."""
    choices: list[dict[str, Any]] = []
    definitions: dict[str, Any] = {}
    for name, summary in installed_stages().items():
        try:
            stage = load_stage(name)
        except (HornbookError, ImportError):
            continue
        own = stage.settings.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        definitions |= {f"{name}.{key}": value for key, value in own.pop("$defs", {}).items()}
        reads = {key: {"type": ["string", "array"], "description": r.text} for key, r in stage.reads.items()}
        fixed = {
            "id": {"type": "string"},
            "run": {"const": name},
            "read": {"type": "object", "properties": reads, "additionalProperties": False},
        }
        choices.append(
            {
                "description": summary,
                "type": "object",
                "properties": fixed | own.get("properties", {}),
                "required": ["id", "run"],
                "additionalProperties": False,
            }
        )
    own_stage = {"type": "object", "properties": {"run": {"pattern": r"\.py$"}}, "required": ["id", "run"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Hornbook recipe",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "seed": {"type": "integer", "minimum": 0},
            "stage": {"type": "array", "items": {"anyOf": [*choices, own_stage]}},
            "profile": {"type": "object", "additionalProperties": {"type": "object"}},
            "machine": Machine.model_json_schema(),
        },
        "required": ["stage"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _nested(annotation: Any) -> type[pydantic.BaseModel] | None:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, pydantic.BaseModel):
            return part
    return None


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in (tuple, list, collections.abc.Sequence)


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "(needed)"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_default(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip()

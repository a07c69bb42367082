"""`hornbook stages`: the list of stages, or everything that one of them reads, writes and can be set to."""

import json
import textwrap
from pathlib import Path
from typing import Annotated, Any, get_args

import pydantic
import typer

from hornbook.core.settings import InputMark

WIDTH = 100


def stages(
    name: Annotated[str | None, typer.Argument(help="A stage's name, or a stage file of your own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes, for editors.")] = False,
) -> int:
    """List the stages, or show one: what it reads and writes, and every setting with type and default."""
    from hornbook.pipeline.stage import installed_stages, load_stage

    if schema:
        from hornbook.pipeline.schema import recipe_schema

        print(json.dumps(recipe_schema(), ensure_ascii=False, indent=1))
        return 0
    if name is None:
        known = installed_stages()
        print(json.dumps(known, ensure_ascii=False) if as_json else _list(known))
        return 0
    stage = load_stage(name, Path.cwd())
    reads = {key: getattr(stage.module, "READS")[key] for key in stage.reads}  # noqa: B009 - a module's own constant
    fields = list(_settings(stage.settings))
    if as_json:
        document = {"name": name, "summary": stage.summary, "reads": reads, "writes": stage.writes}
        print(json.dumps(document | {"version": stage.version, "settings": fields}, ensure_ascii=False, default=str))
        return 0
    print(f"{name}: {summary(stage.summary)}")
    print(f"Reads:  {_reads(stage) or 'nothing from other stages'}")
    print(f"Writes: {stage.writes}")
    print("Settings:" if fields else "It has no settings.")
    for field in fields:
        print(_field(field))
    return 0


def summary(first_line: str) -> str:
    """A stage's one-liner without the name that its docstring begins with.

    >>> summary("Stage data.read: text to documents.")
    'text to documents.'
    """
    head, colon, rest = first_line.partition(": ")
    return rest if colon and head.lower().startswith("stage") else first_line


def _list(known: dict[str, str]) -> str:
    wide = max(len(name) for name in known)
    lines = [f"  {name:<{wide}}  {summary(text)}" for name, text in known.items()]
    return "\n".join([*lines, "`hornbook stages NAME` shows the settings of one."])


def _reads(stage: Any) -> str:
    parts = []
    for key, reading in stage.reads.items():
        number = "one or more " if reading.many else ""
        parts.append(f"{key} ({number}{reading.text}{', may be left out' if reading.optional else ''})")
    return ", ".join(parts)


def _settings(kind: type[pydantic.BaseModel], prefix: str = "") -> list[dict[str, Any]]:
    """Every setting as a record; those of a nested table follow it under dotted names."""
    found: list[dict[str, Any]] = []
    for name, field in kind.model_fields.items():
        inner = _nested(field.annotation)
        is_path = any(isinstance(mark, InputMark) for mark in field.metadata)
        record: dict[str, Any] = {"name": prefix + name, "type": "path" if is_path else type_name(field.annotation)}
        if field.is_required():
            record["required"] = True
        elif inner is None or not isinstance(field.default, inner):
            record["default"] = field.get_default(call_default_factory=True)
        found.append(record | {"help": " ".join((field.description or "").split())})
        if inner is not None:
            many = "[]" if "tuple" in str(field.annotation) else ""
            found += _settings(inner, f"{prefix}{name}{many}.")
    return found


def type_name(annotation: Any) -> str:
    """A type as a recipe's writer reads it: `text`, `whole number`, `"a" or "b"`, `list of text`.

    >>> type_name(int | None), type_name(tuple[str, ...])
    ('whole number', 'list of text')
    """
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "table", Any: "anything"}
    if annotation in plain:
        return plain[annotation]
    inner = [part for part in get_args(annotation) if part not in (type(None), Ellipsis)]
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return "table"
    written = str(annotation)
    if written.startswith("typing.Literal"):
        return " or ".join(json.dumps(choice) for choice in inner)
    if written.startswith(("tuple", "list")):
        return "list of " + " and ".join(dict.fromkeys(type_name(part) for part in inner))
    if written.startswith("dict"):
        return "table"
    if written.startswith("typing.Annotated"):
        return "path" if any(isinstance(part, InputMark) for part in inner[1:]) else type_name(inner[0])
    return " or ".join(dict.fromkeys(type_name(part) for part in inner)) or getattr(annotation, "__name__", written)


def _nested(annotation: Any) -> type[pydantic.BaseModel] | None:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, pydantic.BaseModel):
            return part
    return None


def _field(field: dict[str, Any]) -> str:
    if field.get("required"):
        default = ", required"
    elif "default" in field:
        default = f", default {_shown(field['default'])}"
    else:
        default = ""
    head = f"  {field['name']}  ({field['type']}{default})"
    text = textwrap.wrap(field["help"], WIDTH - 6)
    return "\n".join([head, *(f"      {line}" for line in text)])


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, pydantic.BaseModel):
        value = value.model_dump()
    return json.dumps(value, ensure_ascii=False, default=str)

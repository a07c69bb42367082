"""Write docs/stages/*.md from the code: what each stage reads, writes, can be told, and why it drops documents.

    make docs

tests/test_docs.py fails when a page is missing or not what this file would write.
"""

import inspect
import json
import re
import sys
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

import pydantic
from pydantic_core import PydanticUndefined

from hornbook.data.rules import find_filter, known_filters
from hornbook.pipeline.stage import Stage, installed_stages, load_stage

FOLDER = Path(__file__).parent / "stages"
NOTE = "<!-- Written by `make docs` from the code. Change the code, then run it again. -->"


def main() -> None:
    """Write every page and remove those of stages that are gone."""
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for file in FOLDER.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, "utf-8")
    print(f"{len(wanted)} pages in {FOLDER.relative_to(FOLDER.parents[1])}")


def pages() -> dict[str, str]:
    """File name -> text of every page: one for each stage, and a list of them."""
    stages = [load_stage(name) for name in installed_stages()]
    wanted = {f"{stage.name}.md": page(stage) for stage in stages}
    rows = [f"| [{s.name}]({s.name}.md) | {reads(s)} | {s.writes} | {about(s)} |" for s in stages]
    listed = "\n".join(["| stage | reads | writes | |", "|---|---|---|---|", *rows])
    wanted["README.md"] = f"{NOTE}\n\n# Stages\n\n{listed}\n"
    return wanted


def page(stage: Stage) -> str:
    """The page of one stage."""
    inputs = [f"- `read.{name}`: {kinds(text)}" for name, text in stage.module.READS.items()]
    parts = [
        NOTE,
        f"# {stage.name}",
        sentence(inspect.cleandoc(stage.module.__doc__ or "").removeprefix(f"Stage {stage.name}: ")),
        "## Reads and writes",
        "\n".join([*inputs, f"- writes: {stage.writes} (version {stage.version})"]),
        "## Settings",
        "\n\n".join(tables(stage.settings)) or "None.",
        *rules(stage.module),
    ]
    if stage.name == "data.filter":
        parts += filters()
    return "\n\n".join(part.strip() for part in parts) + "\n"


def about(stage: Stage) -> str:
    """One line about a stage."""
    return cell(sentence(stage.summary.removeprefix(f"Stage {stage.name}: ")))


def sentence(text: str) -> str:
    """The same text with a capital letter in front."""
    return text[:1].upper() + text[1:]


def reads(stage: Stage) -> str:
    """The kinds a stage reads, in one cell."""
    return cell(", ".join(kinds(text) for text in stage.module.READS.values())) or "–"


def kinds(text: str) -> str:
    """`documents+` in words."""
    bare = text.rstrip("+?").replace("|", " or ")
    return bare + (", one or more" if "+" in text else "") + (", may be left out" if "?" in text else "")


def tables(settings: type[pydantic.BaseModel], prefix: str = "") -> list[str]:
    """A table of the settings, then one for each group of settings inside it."""
    rows: list[str] = []
    inner: list[str] = []
    for name, field in settings.model_fields.items():
        if said(field).startswith("Filled in by"):
            continue
        group = group_of(field.annotation)
        if group is not None:
            inner += tables(group, f"{prefix}{name}.")
            if field.default is not None:
                continue
        rows.append(f"| `{prefix}{name}` | {cell(kind(field.annotation))} | {default(field)} | {cell(said(field))} |")
    if not rows:
        return inner
    return ["\n".join(["| setting | kind | default | |", "|---|---|---|---|", *rows]), *inner]


def group_of(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The settings class that a setting is, or may be; None for plain values."""
    options = typing.get_args(annotation) or (annotation,)
    if typing.get_origin(annotation) in (list, dict, tuple):
        return None
    return next((o for o in options if isinstance(o, type) and issubclass(o, pydantic.BaseModel)), None)


def kind(annotation: Any) -> str:
    """A type as people write it: `int`, `"a" or "b"`, `text`."""
    origin, options = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return kind(options[0])
    if origin is typing.Literal:
        return " or ".join(json.dumps(option) for option in options)
    if origin in (list, tuple, dict):
        inside = [kind(option) for option in options if option is not Ellipsis]
        return f"table of {inside[-1]}" if origin is dict else f"list of {' and '.join(dict.fromkeys(inside))}"
    if options:
        return " or ".join(kind(option) for option in options if option is not type(None))
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}
    return names.get(annotation, "table" if inspect.isclass(annotation) else re.sub(r"^.*\.", "", str(annotation)))


def default(field: Any) -> str:
    """The default as a recipe would write it; a dash where there is none."""
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value is PydanticUndefined:
        return "must be given"
    if value is None or value == () or value == {} or value == "":
        return "–"
    if isinstance(value, pydantic.BaseModel):
        return "–"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "`" + cell(text) + "`"


def said(field: Any) -> str:
    """The text under a setting, with its limits."""
    limits = [
        f"{sign} {getattr(mark, name)}"
        for mark in field.metadata
        for name, sign in (("ge", "at least"), ("gt", "above"), ("le", "at most"), ("lt", "below"))
        if getattr(mark, name, None) is not None
    ]
    text = " ".join((field.description or "").split())
    return f"{text} ({', '.join(limits)})" if limits else text


def rules(module: ModuleType) -> list[str]:
    """The drop reasons that a module documents, as a section."""
    table: dict[str, str] = getattr(module, "RULES", {})
    if not table:
        return []
    rows = [f"| `{rule}` | {cell(text)} |" for rule, text in table.items()]
    return ["## Why documents are dropped or edited", "\n".join(["| rule | meaning |", "|---|---|", *rows])]


def filters() -> list[str]:
    """A section for every built-in filter."""
    parts: list[str] = []
    for name in known_filters():
        module = find_filter(name)
        parts += [
            f"## Filter `{name}`",
            sentence(inspect.cleandoc(module.__doc__ or "").removeprefix(f"Filter {name}: ")),
        ]
        parts += [*tables(module.Settings, f"rule.{name}."), *(part for part in rules(module) if part.startswith("|"))]
    return parts


def cell(text: str) -> str:
    """Text that cannot break out of a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())

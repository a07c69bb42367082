"""Write docs/stages from the code: one page for each stage, and a list of them; and the list of decisions.

    make docs                                 writes the pages
    .venv/bin/python docs/generate.py --check  only says which are out of date (exit code 1)

A page says what the stage's module says: its text, what it reads and writes, every setting with its documentation, and
every rule that may drop or edit a document.
"""

import importlib
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
from pydantic_core import PydanticUndefined

from hornbook.data.rules import find_filter, known_filters
from hornbook.pipeline.stage import Reading, Stage, installed_stages, load_stage

DOCS = Path(__file__).parent
STAGES = DOCS / "stages"
ORDER = ("world", "data", "tokenizer", "pretrain", "posttrain", "evaluate")
"""Packages in pipeline order; others follow by name."""


def main(words: list[str]) -> int:
    """Write the pages, or with `--check` say what differs."""
    wanted = {f"stages/{name}": text for name, text in pages().items()} | {"decisions/README.md": decisions()}
    stale = [name for name, text in wanted.items() if not _same(DOCS / name, text)]
    gone = [f"stages/{file.name}" for file in sorted(STAGES.glob("*.md")) if f"stages/{file.name}" not in wanted]
    if "--check" in words:
        for name in stale + gone:
            print(f"docs/{name} is out of date: make docs")
        return 1 if stale or gone else 0
    STAGES.mkdir(exist_ok=True)
    for name in stale:
        (DOCS / name).write_text(wanted[name], "utf-8")
    for name in gone:
        (DOCS / name).unlink()
    print(f"docs: {len(wanted)} pages, {len(stale)} written, {len(gone)} removed")
    return 0


def pages() -> dict[str, str]:
    """Every page of docs/stages by file name."""
    stages = {name: load_stage(name) for name in sorted(installed_stages(), key=_place)}
    return {"README.md": index(stages)} | {f"{name}.md": page(stage) for name, stage in stages.items()}


def decisions() -> str:
    """The list of decisions by their headings."""
    lines = ["# Decisions", "", "Why things are as they are: what was chosen, against what it was measured.", ""]
    for file in sorted((DOCS / "decisions").glob("*.md")):
        if file.name != "README.md":
            lines.append(f"- [{file.read_text('utf-8').partition(chr(10))[0].lstrip('# ')}]({file.name})")
    return "\n".join(lines) + "\n"


def index(stages: dict[str, Stage]) -> str:
    """The list of all stages."""
    lines = [
        "# Stages",
        "",
        "Written by `make docs` from the code. A stage reads artifacts and writes one; recipes call it by this name.",
        "",
        "| stage | what it does | reads | writes |",
        "|---|---|---|---|",
    ]
    for name, stage in stages.items():
        what = stage.summary.partition(": ")[2] or stage.summary
        reads = ", ".join(_kinds(reading) for reading in stage.reads.values()) or "-"
        lines.append(f"| [{name}]({name}.md) | {_cell(what)} | {_cell(reads)} | {stage.writes} |")
    return "\n".join(lines) + "\n"


def page(stage: Stage) -> str:
    """One stage's page."""
    module = stage.module
    path = "src/" + module.__name__.replace(".", "/") + ".py"
    text = (module.__doc__ or "").strip().removeprefix(f"Stage {stage.name}: ")
    lines = [f"# {stage.name}", "", text[:1].upper() + text[1:], ""]
    lines += [f"Code: [`{path}`](../../{path}) · version {stage.version}", ""]
    lines += ["| input | kind |", "|---|---|"] if stage.reads else ["Reads no artifact."]
    lines += [f"| `read.{name}` | {_cell(_kinds(reading))} |" for name, reading in stage.reads.items()]
    lines += ["", f"Writes: {stage.writes}.", "", "## Settings", "", *settings_table(stage.settings)]
    rules: dict[str, str] = getattr(module, "RULES", {})
    if rules:
        lines += ["", "## Rules", "", *rules_table(rules)]
    if stage.name == "data.filter":
        for name in known_filters():
            lines += ["", *filter_section(name)]
    return "\n".join(lines) + "\n"


def filter_section(name: str) -> list[str]:
    """What a filter says of itself, its settings (`rule.NAME.key`) and its rules."""
    module = find_filter(name)
    text = (module.__doc__ or "").strip().removeprefix(f"Filter {name}: ")
    heading = [f"## Filter {name}", "", text[:1].upper() + text[1:], ""]
    return [*heading, *settings_table(module.Settings, f"rule.{name}."), "", *rules_table(module.RULES)]


def rules_table(rules: dict[str, str]) -> list[str]:
    """Every rule, and what it means."""
    rows = [f"| `{rule}` | {_cell(about)} |" for rule, about in rules.items()]
    return ["| rule | a document is dropped or edited because |", "|---|---|", *rows]


def settings_table(kind: type[pydantic.BaseModel], prefix: str = "") -> list[str]:
    """Every setting with its type, its default and its documentation."""
    rows = [
        f"| `{name}` | {_cell(type_)} | {_cell(default)} | {_cell(about)} |"
        for name, type_, default, about in fields(kind, prefix)
    ]
    if not rows:
        return ["None."]
    return ["| setting | type | default | meaning |", "|---|---|---|---|", *rows]


def fields(kind: type[pydantic.BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and documentation of every setting, those of tables inside under `table.key`."""
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        inside = next((part for part in _parts(field.annotation) if _is_model(part)), None)
        about = " ".join((field.description or "").split())
        limits = ", ".join(filter(None, map(_limit, field.metadata)))
        shown = "required" if default is PydanticUndefined else _value(default)
        yield f"{prefix}{name}", _type(field.annotation) + (f", {limits}" if limits else ""), shown, about
        if inside is not None:
            yield from fields(type(default) if _is_model(type(default)) else inside, f"{prefix}{name}.")


def _value(default: Any) -> str:
    if isinstance(default, pydantic.BaseModel):
        return ""
    if isinstance(default, tuple):
        items = typing.cast(tuple[Any, ...], default)
        more = f", … ({len(items)})" if len(items) > 8 else ""
        return "`[" + ", ".join(_plain(item) for item in items[:8]) + more + "]`"
    return f"`{_plain(default)}`"


def _plain(value: Any) -> str:
    """As in TOML, where TOML has it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _type(annotation: Any) -> str:
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(f"`{_plain(value)}`" for value in typing.get_args(annotation))
    if _is_model(annotation):
        return "table"
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(inside[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in inside if part is not type(None))
    if origin in (tuple, list):
        return "list of " + " or ".join(dict.fromkeys(_type(part) for part in inside if part is not ...))
    if origin is dict:
        return "table of " + _type(inside[1])
    return {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}.get(
        annotation, getattr(annotation, "__name__", str(annotation))
    )


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The annotation itself, the members of a union, or what a list holds."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple, list):
        return typing.get_args(annotation)
    return (annotation,)


def _limit(mark: Any) -> str:
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "length >=", "max_length": "length <="}
    return ", ".join(f"{sign} {getattr(mark, name)}" for name, sign in signs.items() if hasattr(mark, name))


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _kinds(reading: Reading) -> str:
    return (
        " or ".join(reading.kinds)
        + (", one or more" if reading.many else "")
        + (" (optional)" if reading.optional else "")
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _place(name: str) -> tuple[int, str]:
    package = name.partition(".")[0]
    order = [stage for stage in STEPS if stage.startswith(f"{package}.")]
    return (
        ORDER.index(package) if package in ORDER else len(ORDER),
        f"{order.index(name):02d}" if name in order else name,
    )


STEPS = (
    "world.facts",
    "world.pages",
    "world.conversations",
    "world.tasks",
    "data.read",
    "data.extract",
    "data.filter",
    "data.dedup",
    "tokenizer.learn",
    "tokenizer.encode",
)
"""Order inside a package, where the alphabet's is not that of the pipeline."""


def _same(file: Path, text: str) -> bool:
    return file.exists() and file.read_text("utf-8") == text


if __name__ == "__main__":
    importlib.invalidate_caches()
    sys.exit(main(sys.argv[1:]))

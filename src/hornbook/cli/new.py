"""`hornbook new`: look at somebody's files and write a working recipe for them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hornbook.core.errors import SettingsError
from hornbook.core.recipe import NAME
from hornbook.core.units import human_bytes

if TYPE_CHECKING:
    from hornbook.cli.survey import Group, Survey

LITTLE_BYTES = 1_000_000
VOCABULARIES = ((5e6, 1024), (500e6, 4096), (float("inf"), 8192))
WEB_STEPS = (("lines", "data.line_dedup"), ("passages", "data.substring_dedup"), ("sorted", "data.domains"))
HOW = {
    "separator": "parted by <|endoftext|>",
    "paragraphs": "long, cut into chunks of paragraphs",
    "file": "a document each",
}


def new(
    name: Annotated[str, typer.Argument(help="The recipe's name: letters, digits, - and _.")],
    path: Annotated[Path, typer.Argument(help="A file or folder: pages, text, tables, chat logs, addresses.")],
    budget: Annotated[str, typer.Option(help="Time to train.")] = "10min",
    model: Annotated[Path | None, typer.Option(help="For chat logs: a model's folder to start from.")] = None,
) -> None:
    """Look at my files, write NAME.toml, a working recipe for them, and say what was understood.

    An existing file is never replaced. `hornbook plan NAME.toml` then says what it will take.
    """
    from hornbook.cli.survey import survey
    from hornbook.core.recipe import load_recipe
    from hornbook.core.settings import resolve_input

    if not NAME.fullmatch(name) or name in ("machine", "profile"):
        raise SettingsError(f'"{name}" cannot be a recipe\'s name', do="Use letters, digits, - and _")
    file = Path(f"{name}.toml")
    if file.exists():
        raise SettingsError("this recipe is there already", where=str(file), do="Take another name, or move it away")
    found = survey(resolve_input(str(path)))
    text = recipe_text(name, found, budget, resolve_input(str(model)) if model else None)
    for line in understood(found):
        print(line)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except OSError as error:
        raise SettingsError(f"it could not be written: {error.strerror}", where=str(file)) from None
    stages = ", ".join(entry.run for entry in load_recipe(file).stages)
    print(f"Wrote {file}: {stages}\nNext: hornbook plan {file}, then hornbook run {file}")


def understood(found: "Survey") -> list[str]:
    """What was found, a sentence for each sort of files."""
    lines: list[str] = []
    if found.pages:
        size = human_bytes(found.page_bytes)
        lines.append(f"{_files(len(found.pages))} of web pages, {size}: their main text is taken")
    for part in found.lists:
        lines.append(f"{part.path.name} is a list of addresses: they are fetched, their main text is taken")
    for group in found.texts:
        what = f'field "{group.field}" of each record' if group.field else HOW[group.mode]
        spoken = f"; language {', '.join(group.languages)}" if group.languages else ""
        size = human_bytes(group.num_bytes)
        lines.append(f"{_files(len(group.files))} of {group.format}, {size}: {what}{spoken}")
    if found.chats:
        lines.append(f"{_files(len(found.chats))} of conversations: the model is fine-tuned on them")
    lines += [f"{_files(count)} left out: {suffix}" for suffix, count in found.other.items()]
    if found.texts and found.num_bytes < LITTLE_BYTES and not found.pages and not found.lists:
        lines.append("This is little text: the model will learn it by heart. From about 5 MB on it learns to write.")
    return lines


def recipe_text(name: str, found: "Survey", budget: str, model: Path | None) -> str:
    """The recipe as TOML. Raises SettingsError for chat logs with nothing to learn the language from."""
    has_text = bool(found.pages or found.texts or found.lists)
    if not has_text and model is None:
        raise SettingsError(
            "there are only conversations here, and a model needs much more text to learn the language from",
            where=str(found.root),
            do="Add text files beside them, or give a model to start from with --model FOLDER",
        )
    head = f"# Written by `hornbook new` from {found.root}\n# Every setting: hornbook stages NAME\n"
    parts = [f'{head}name = "{name}"\nseed = 7\n']
    base = str(model) if model else "base"
    if has_text and model is None:
        parts += _text_stages(found)
        parts.append(_stage("base", "pretrain.causal", {"tokens": "tokens"}, {"budget": budget}))
    if found.chats:
        for number, chat in enumerate(found.chats, 1):
            identity = "chat" if len(found.chats) == 1 else f"chat{number}"
            reads = {"model": base, "conversations": str(chat)}
            parts.append(_stage(identity, "posttrain.sft", reads, {}))
            base = identity
    elif model is not None:
        raise SettingsError("a model to start from is for chat logs, and there are none", where=str(found.root))
    if has_text and model is None:
        parts.append(_stage("bits", "evaluate.perplexity", {"model": "base", "documents": _last(found)}, {}))
    return "\n".join(parts)


def _text_stages(found: "Survey") -> list[str]:
    """From files to tokens: read, extract or fetch, filter each, deduplicate all together, tokenizer, encode."""
    parts: list[str] = []
    clean: list[str] = []
    if found.pages:
        only = {"files": found.pages_glob} if found.pages_glob else {}
        parts.append(_stage("pages", "data.extract", {}, {"path": str(found.root), **only}))
        parts.append(_stage("clean-pages", "data.filter", {"documents": "pages"}, {"profile": "web"}))
        clean.append("clean-pages")
    for number, part in enumerate(found.lists, 1):
        fetched = "fetched" if len(found.lists) == 1 else f"fetched{number}"
        field = {"field": part.field} if part.field not in ("", "url") else {}
        parts.append(_stage(fetched, "data.fetch", {}, {"path": str(part.path), **field, "contact": ""}))
        parts.append(_stage(f"{fetched}-pages", "data.extract", {"pages": fetched}, {}))
        parts.append(_stage(f"clean-{fetched}", "data.filter", {"documents": f"{fetched}-pages"}, {"profile": "web"}))
        clean.append(f"clean-{fetched}")
    if found.texts:
        parts.append(_read_stage(found))
        languages = list(dict.fromkeys(language for group in found.texts for language in group.languages)) or ["en"]
        settings = {"profile": "stories", "rule.language.keep": languages}
        parts.append(_stage("clean", "data.filter", {"documents": "text"}, settings))
        clean.append("clean")
    vocab_size = next(size for limit, size in VOCABULARIES if found.num_bytes < limit)
    parts.append(_stage("unique", "data.dedup", {"documents": clean if len(clean) > 1 else clean[0]}, {}))
    before = "unique"
    for identity, run in WEB_STEPS if _last(found) != "unique" else ():
        parts.append(_stage(identity, run, {"documents": before}, {}))
        before = identity
    parts.append(_stage("portrait", "data.profile", {"documents": before}, {}))
    parts.append(_stage("tokenizer", "tokenizer.learn", {"documents": before}, {"vocab_size": vocab_size}))
    parts.append(_stage("tokens", "tokenizer.encode", {"documents": before, "tokenizer": "tokenizer"}, {}))
    return parts


def _last(found: "Survey") -> str:
    """The stage whose documents are learned from: pages of the web have menus, repeats and many kinds of text."""
    return WEB_STEPS[-1][0] if found.pages or found.lists else "unique"


def _read_stage(found: "Survey") -> str:
    """One source for each sort of files: by a glob where it fits these files alone, else file by file."""
    sources: list[dict[str, Any]] = []
    for group in found.texts:
        how: dict[str, Any] = {"mode": group.mode} if group.format == "text" else {"field": group.field}
        if not group.header:
            how["header"] = False
        glob = _glob(group, found)
        if found.root.is_file():
            sources.append({"path": str(found.root), **how})
        elif glob:
            sources.append({"path": str(found.root), "files": glob, "name": f"{found.root.name}{glob[1:]}", **how})
        else:
            names = [path.relative_to(found.root).as_posix() for path in group.files]
            sources += [{"path": str(p), "name": n, **how} for p, n in zip(group.files, names, strict=True)]
    if len(sources) == 1:
        return _stage("text", "data.read", {}, {key: value for key, value in sources[0].items() if key != "name"})
    tables = [f"[[stage.sources]]\n{_lines(source)}" for source in sources]
    return "\n".join([_stage("text", "data.read", {}, {}), *tables])


def _glob(group: "Group", found: "Survey") -> str:
    """`*.txt` when every used file of that ending is in the group, else nothing."""
    from hornbook.cli.survey import ending

    own = ending(group.files[0])
    others = [path for other in found.texts if other is not group for path in other.files]
    others += [*found.chats, *(part.path for part in found.lists)]
    return f"*{own}" if own and not any(path.name.endswith(own) for path in others) else ""


def _stage(identity: str, run: str, reads: dict[str, Any], settings: dict[str, Any]) -> str:
    read = {f"read.{key}": value for key, value in reads.items()}
    return f"[[stage]]\n{_lines({'id': identity, 'run': run, **read, **settings})}"


def _lines(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"

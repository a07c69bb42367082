"""What the documents name exists: commands and their options, make targets, stages, settings, drop reasons, files.

And what docstrings show is what the code does.
"""

import doctest
import importlib
import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hornbook.cli.find import shipped_recipes
from hornbook.cli.main import VERBS, call_verb, overview
from hornbook.core.recipe import load_recipe
from hornbook.data.rules import find_filter, known_filters
from hornbook.pipeline.stage import installed_stages, load_stage
from tests.documents import FENCE, PAGES, ROOT, TICKS, said_by

STAGE_PACKAGES = ("world", "data", "tokenizer", "pretrain", "posttrain", "evaluate")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|<img [^>]*src=\"([^\"]+)\"")
PLACEHOLDER = re.compile(r"[A-Z]{3,}")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date(generator, capsys):
    """Pages of stages and the list of decisions are what the code and the headings say now."""
    code = generator.main(["--check"])
    assert code == 0, capsys.readouterr().out


def test_every_stage_has_a_page():
    assert [name for name in installed_stages() if not (ROOT / f"docs/stages/{name}.md").exists()] == []


def test_every_setting_is_documented(generator):
    kinds = {name: load_stage(name).settings for name in installed_stages()}
    kinds |= {f"filter {name}": find_filter(name).Settings for name in known_filters()}
    silent = [f"{place}: {row[0]}" for place, kind in kinds.items() for row in generator.fields(kind) if not row[3]]
    assert silent == []


def test_commands_exist():
    for page, command in said_by("hornbook"):
        words = command.split()
        if len(words) > 1 and not words[1].startswith("-") and not PLACEHOLDER.fullmatch(words[1]):
            assert words[1] in VERBS, f"{page}: {command}"


@pytest.mark.parametrize("verb", VERBS)
def test_options_exist_and_help_fits_a_screen(verb, capsys):
    assert call_verb(verb, ["--help"]) == 0
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 40
    for page, command in said_by(f"hornbook {verb}"):
        for option in re.findall(r"(?<!\S)--[a-z][\w-]*", command):
            assert option in text or option == "--debug", f"{page}: {command}: no {option}"


def test_overview_names_every_verb():
    assert all(f"  {verb} " in overview() for verb in VERBS)
    assert all((ROOT / "src/hornbook/cli" / f"{verb}.py").exists() for verb in VERBS)


def test_recipes_named_in_commands_exist():
    known = shipped_recipes()
    for page, command in [*said_by("hornbook run"), *said_by("hornbook plan")]:
        words = [word for word in command.split()[2:] if not word.startswith("-")]
        if words and "/" not in words[0] and "." not in words[0] and not PLACEHOLDER.fullmatch(words[0]):
            assert words[0] in known, f"{page}: {command}"


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page, command in said_by("make"):
        words = command.split()
        if len(words) > 1 and re.fullmatch(r"[a-z][a-z-]*", words[1]):
            assert words[1] in targets, f"{page}: {command}"


def test_stages_named_in_documents_exist():
    pattern = re.compile(rf"(?:{'|'.join(STAGE_PACKAGES)})(?:\.[a-z_]+)+")
    for page in PAGES:
        for name in TICKS.findall(page.read_text("utf-8")):
            if pattern.fullmatch(name) and not name.endswith((".py", ".md", ".json")):
                module = ROOT / "src/hornbook" / Path(*name.split("."))
                assert module.is_dir() or module.with_suffix(".py").exists(), f"{page.name}: `{name}`"


def test_recipes_in_documents_have_known_stages_and_settings():
    seen = 0
    for page in PAGES:
        for language, body in FENCE.findall(page.read_text("utf-8")):
            if language == "toml":
                for entry in tomllib.loads(body).get("stage", []):
                    check_entry(entry, page.name)
                    seen += 1
    assert seen > 0


def check_entry(entry: dict[str, Any], page: str) -> None:
    if "run" not in entry or entry["run"].endswith(".py"):
        return
    assert entry["run"] in installed_stages(), f"{page}: {entry['run']}"
    stage = load_stage(entry["run"])
    given = set(entry) - {"id", "run", "read"}
    assert given <= set(stage.settings.model_fields), f"{page}: {entry}"
    assert set(entry.get("read", {})) <= set(stage.reads), f"{page}: {entry}"


def test_changed_settings_exist():
    """`--set base.total_tokens=…` names a stage of a shipped recipe and one of its settings."""
    stages = {s.id: s.run for file in shipped_recipes().values() for s in load_recipe(file).stages}
    for page, command in said_by("hornbook"):
        for name in re.findall(r"--set (\w+)\.(\w+)", command):
            if name[0] in ("machine", "ID"):
                continue
            assert name[0] in stages, f"{page}: {command}"
            assert name[1] in load_stage(stages[name[0]]).settings.model_fields, f"{page}: {command}"


def test_drop_reasons_named_in_documents_exist():
    modules = [*map(find_filter, known_filters()), *(load_stage(name).module for name in installed_stages())]
    known = {rule for module in modules for rule in getattr(module, "RULES", {})}
    starts = {rule.partition(".")[0] for rule in known}
    for page in PAGES:
        for name in TICKS.findall(page.read_text("utf-8")):
            head, dot, tail = name.partition(".")
            is_rule = dot and head in starts and head not in STAGE_PACKAGES and re.fullmatch(r"[a-z_]+", tail)
            if is_rule and tail not in ("py", "md", "json") and page.name != "how-to-add-a-filter.md":
                assert name in known, f"{page.name}: `{name}`"


def test_every_filter_documents_its_rules():
    for name in known_filters():
        assert find_filter(name).RULES
        assert all(len(text) > 10 for text in find_filter(name).RULES.values())


def test_links_and_files_exist():
    missing = []
    for page in PAGES:
        text = page.read_text("utf-8")
        targets = [link or image for link, image in LINK.findall(FENCE.sub("", text))]
        missing += [f"{page.name}: {t}" for t in targets if "://" not in t and not (page.parent / t).exists()]
        paths = re.findall(r"`((?:src|tests|docs|bench|recipes)/[\w./-]+)`", text)
        missing += [
            f"{page.name}: {path}" for path in paths if not path.startswith("bench/records") and not exists(path)
        ]
    assert missing == []


def exists(path: str) -> bool:
    """Whether a path named in a document is there; the how-tos name files that the reader is to write."""
    return (ROOT / path).exists() or "my_" in path


def test_length_of_contributing():
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 120


def python_in(page: str, number: int, place: Path) -> Path:
    """A Python block of a how-to as a file, as its reader would write it."""
    blocks = [
        body for language, body in FENCE.findall((ROOT / "docs" / page).read_text("utf-8")) if language == "python"
    ]
    place.write_text(blocks[number], "utf-8")
    return place


def test_the_filter_of_the_how_to_works(tmp_path, monkeypatch):
    from hornbook.core.document import Document, Drop, Keep
    from hornbook.data.rules import prepare

    monkeypatch.chdir(tmp_path)
    python_in("how-to-add-a-filter.md", 0, tmp_path / "my_filter.py")
    [decide] = prepare(["./my_filter.py"], {"./my_filter.py": {"max_capitals_frac": 0.2}})
    assert decide(Document("1", "QUIET please")) == Drop("shouting.capitals", 0.455)
    assert decide(Document("2", "Quiet please")) == Keep()


def test_the_task_of_the_how_to_works(tmp_path):
    from hornbook.core.artifact import scratch_out
    from hornbook.tasks.example import load_grader, read_examples

    python_in("how-to-add-a-task.md", 0, tmp_path / "my_tasks.py")
    stage = load_stage("./my_tasks.py", tmp_path)
    out = scratch_out(tmp_path / "out")
    stage.run(stage.settings(), {}, out)
    about = json.loads((out.path / "tasks.json").read_text())
    examples = list(read_examples(out.path / "alphabet.jsonl"))
    assert len(examples) == out.counts["examples"] == 20
    grade = load_grader(about["alphabet"]["grader"])
    assert (grade(examples[0], "It is b."), grade(examples[0], "It is c.")) == (1.0, 0.0)
    own = load_grader(f"{python_in('how-to-add-a-task.md', 1, tmp_path / 'my_grader.py')}:grade")
    assert (own(examples[0], "It is b."), own(examples[0], "b comes after a")) == (1.0, 0.0)


def test_the_algorithm_of_the_how_to_works(tmp_path):
    import torch

    from hornbook.train.batch import Batch

    path = python_in("how-to-add-an-algorithm.md", 0, tmp_path / "focal.py")
    spec = importlib.util.spec_from_file_location("focal", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ids_BT = torch.zeros((1, 2), dtype=torch.long)
    batch = Batch(ids_BT=ids_BT, targets_BT=ids_BT, weights_BT=torch.tensor([[1.0, 0.0]]), segments_BT=None, cursor={})
    nats_BT = -torch.log(torch.tensor([[0.25, 0.5]]))
    loss = module.Focal(2.0)(lambda *_: nats_BT, batch)
    assert loss.terms["focal"].weight == 1.0
    assert float(loss.terms["focal"].sum) == pytest.approx(0.75**2 * 1.3862944, rel=1e-6)
    assert float(loss.metrics["nats"].sum) == pytest.approx(1.3862944, rel=1e-6)


def test_examples_in_docstrings_hold():
    source = ROOT / "src"
    files = [file for file in sorted(source.rglob("*.py")) if ">>> " in file.read_text("utf-8")]
    assert len(files) > 50
    for file in files:
        name = ".".join(file.relative_to(source).with_suffix("").parts)
        assert doctest.testmod(importlib.import_module(name)).failed == 0, name

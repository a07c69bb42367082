"""`hornbook new` on folders of every sort: what it understands, and that the recipe it writes passes `plan`."""

import gzip
import json
from pathlib import Path

import pytest

from hornbook.cli.main import command
from hornbook.cli.survey import survey
from hornbook.core.document import Document, to_table
from hornbook.core.recipe import Recipe, load_recipe
from hornbook.pipeline.graph import check

TALK = {"messages": [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Hello!"}]}
SENTENCE = "The old baker walked slowly to the harbour and looked at the ships. "


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_DATA", raising=False)
    (tmp_path / "data").mkdir()


def write(name: str, text: str) -> Path:
    path = Path("data") / name
    path.write_text(text, encoding="utf-8")
    return path


def made(*more: str) -> Recipe:
    assert command(["new", "mine", "data", *more]) == 0
    recipe = load_recipe(Path("mine.toml"))
    check(recipe, Path())
    return recipe


def test_text_files_become_a_whole_recipe_that_plans(capsys: pytest.CaptureFixture[str]) -> None:
    write("one.txt", SENTENCE * 4 + "<|endoftext|>" + SENTENCE * 3)
    recipe = made()
    assert [entry.run for entry in recipe.stages] == [
        "data.read",
        "data.filter",
        "data.dedup",
        "tokenizer.learn",
        "tokenizer.encode",
        "pretrain.causal",
        "evaluate.perplexity",
    ]
    assert recipe.stage("text").settings["mode"] == "separator"
    assert recipe.stage("base").settings == {"budget": "10min"}
    assert recipe.stage("clean").settings["rule"] == {"language": {"keep": ["en"]}}
    out = capsys.readouterr().out
    assert "1 file of text" in out and "parted by <|endoftext|>" in out and "learn it by heart" in out


def test_long_text_is_cut_and_short_files_stay_whole() -> None:
    write("book.txt", SENTENCE * 1000)
    assert made().stage("text").settings["mode"] == "paragraphs"
    write("book.txt", SENTENCE)
    assert survey(Path("data")).texts[0].mode == "file"


def test_every_sort_of_text_is_a_source_of_its_own() -> None:
    import pyarrow.parquet

    write("a.txt", SENTENCE)
    write("b.md", SENTENCE)
    with gzip.open("data/c.jsonl.gz", "wt", encoding="utf-8") as out:
        out.write(json.dumps({"id": "a longer name that is no text", "story": SENTENCE}) + "\n")
    pyarrow.parquet.write_table(to_table([Document("1", SENTENCE)]), "data/d.parquet")
    write("e.csv", f'id;body\n1;"{SENTENCE}"\n2;{SENTENCE}\nan incomplete row')
    sources = made().stage("text").settings["sources"]
    assert {(s["files"], s.get("mode", ""), s.get("field", "")) for s in sources} == {
        ("*.txt", "file", ""),
        ("*.md", "file", ""),
        ("*.jsonl.gz", "", "story"),
        ("*.parquet", "", "text"),
        ("*.csv", "", "body"),
    }
    assert len({s["name"] for s in sources}) == 5


def test_pages_and_texts_are_cleaned_apart_and_deduplicated_together() -> None:
    write("p.html", "<p>Hello</p>")
    write("a.txt", SENTENCE)
    recipe = made("--budget", "3min")
    assert recipe.stage("pages").run == "data.extract"
    assert recipe.stage("clean-pages").settings["profile"] == "web"
    assert recipe.stage("unique").read["documents"] == ("clean-pages", "clean")
    assert recipe.stage("base").settings["budget"] == "3min"


def test_chat_logs_are_told_from_other_json_lines() -> None:
    write("chat.jsonl", json.dumps(TALK) + "\n")
    write("texts.jsonl", json.dumps({"text": SENTENCE}) + "\n")
    recipe = made()
    assert recipe.stage("chat").read == {"model": ("base",), "conversations": (str(Path("data/chat.jsonl").resolve()),)}
    assert recipe.stage("text").settings["path"].endswith("texts.jsonl")


def test_chat_logs_alone_need_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    write("chat.jsonl", json.dumps(TALK) + "\n")
    assert command(["new", "mine", "data"]) == 2
    assert "--model" in capsys.readouterr().err and not Path("mine.toml").exists()
    Path("model").mkdir()
    (Path("model") / "config.json").write_text("{}")
    recipe = made("--model", "model")
    assert [entry.run for entry in recipe.stages] == ["posttrain.sft"]


def test_other_languages_are_kept() -> None:
    write("a.txt", "Der alte Bäcker ging langsam zum Hafen und sah sich die Schiffe an, die dort lagen. " * 5)
    assert made().stage("clean").settings["rule"] == {"language": {"keep": ["de"]}}


def test_it_never_replaces_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.txt", SENTENCE)
    Path("mine.toml").write_text("precious")
    assert command(["new", "mine", "data"]) == 2
    assert Path("mine.toml").read_text() == "precious"
    assert "there already" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["machine", "../up", "a b", ""])
def test_bad_names_are_refused(name: str) -> None:
    write("a.txt", SENTENCE)
    assert command(["new", name, "data"]) == 2
    assert [path.name for path in Path().iterdir()] == ["data"]


def test_nothing_to_learn_from_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    write("a.pdf", "x")
    write("empty.txt", "")
    assert command(["new", "mine", "data"]) == 2
    said = capsys.readouterr().err
    assert ".pdf" in said and "empty files" in said and not Path("mine.toml").exists()
    assert command(["new", "mine", "nowhere"]) == 2

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
        "data.profile",
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
    assert recipe.stage("lines").read["documents"] == ("unique",)
    assert recipe.stage("tokens").read["documents"] == recipe.stage("bits").read["documents"] == ("sorted",)
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


def test_lists_of_addresses_are_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    write("links.txt", "# mine\n" + "".join(f"https://a.example/{i}\n" for i in range(30)))
    write("more.csv", "title,link\n" + "".join(f"Page {i},https://b.example/{i}\n" for i in range(30)))
    write("story.txt", SENTENCE)
    recipe = made()
    assert (
        recipe.stage("fetched1").settings["path"].endswith("links.txt") and recipe.stage("fetched1").run == "data.fetch"
    )
    assert recipe.stage("fetched2").settings["field"] == "link"
    assert recipe.stage("fetched2-pages").read == {"pages": ("fetched2",)}
    assert recipe.stage("unique").read["documents"] == ("clean-fetched1", "clean-fetched2", "clean")
    assert recipe.stage("text").settings["path"].endswith("story.txt")  # `*.txt` would take the list for a text
    out = capsys.readouterr().out
    assert "links.txt is a list of addresses" in out and "learn it by heart" not in out


def test_a_table_of_texts_with_addresses_is_no_list() -> None:
    rows = [json.dumps({"url": f"https://a.example/{i}", "title": "x", "story": SENTENCE * 3}) for i in range(9)]
    write("a.jsonl", "\n".join(rows))
    write("b.txt", f"https://a.example/ is where this was found.\n{SENTENCE}\n{SENTENCE}")
    found = survey(Path("data"))
    assert found.lists == () and {group.field for group in found.texts} == {"story", ""}


def test_tables_without_a_header_and_other_encodings() -> None:
    write("a.csv", "".join(f'{i},"{SENTENCE}"\n' for i in range(9)))
    Path("data/b.tsv").write_bytes(f"id\tBlöcke\n1\tÜber die Bärin: {SENTENCE * 2}\n".encode("cp1252"))
    Path("data/c.jsonl").write_bytes(json.dumps({"text": SENTENCE}).encode("utf-16"))
    sources = made().stage("text").settings["sources"]
    assert {(s["files"], s["field"], s.get("header", True)) for s in sources} == {
        ("*.csv", "2", False),
        ("*.tsv", "Blöcke", True),
        ("*.jsonl", "text", True),
    }


def test_files_of_a_crawl(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.warc.gz", "a.warc.wet.gz", "a.warc.wat.gz"):
        write(name, "x" * 10)
    recipe = made()
    assert recipe.stage("pages").settings["files"] == "*.warc.gz"
    out = capsys.readouterr().out
    assert (
        "1 file of web pages" in out and "left out: WET (the text of the WARC" in out and "data.wat reads them" in out
    )
    Path("data/a.warc.gz").unlink()
    found = survey(Path("data"))
    assert [path.name for path in found.pages] == ["a.warc.wet.gz"] and found.pages_glob == ""
    Path("data/a.warc.wet.gz").unlink()
    assert command(["new", "again", "data"]) == 2
    assert "links and titles without text" in capsys.readouterr().err

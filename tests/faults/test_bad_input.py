"""What users get wrong, through the command: one clear paragraph, exit code 2, nothing half-written.

The data itself (truncated gzip, invalid UTF-8, garbage WARC) is in test_data_inputs.py; here it goes through `run`.
"""

import gzip
import json
from pathlib import Path

import pytest

from hornbook.cli.main import command

TEXT = """name = "mine"
[[stage]]
id = "text"
run = "data.read"
path = "in.txt"
[[stage]]
id = "clean"
run = "data.filter"
read.documents = "text"
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    monkeypatch.delenv("HORNBOOK_DATA", raising=False)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "in.txt").write_text("A short text of several words.\n")
    return tmp_path


def refused(capsys, recipe: str | bytes, *words: str, verb: str = "plan") -> str:
    """The paragraph that a recipe is refused with; checks the code, the form and that nothing was left."""
    Path("r.toml").write_bytes(recipe if isinstance(recipe, bytes) else recipe.encode())
    assert command([verb, "r.toml", *words]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("hornbook: ") and "Traceback" not in err and not out
    assert not list(Path().glob("runs/*/[0-9]*-*[!l]")), "nothing has a final name"
    return err


@pytest.mark.parametrize("verb", ["plan", "run"])
@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("name = ", "not valid TOML"),
        (b"name = '\xff'", "not UTF-8"),
        ("", "has no [[stage]]"),
        ("nme = 'x'\n" + TEXT, 'unknown key "nme"; did you mean "name"'),
        (TEXT.replace('"data.read"', '"data.raed"'), 'did you mean "data.read"'),
        (TEXT.replace("path =", "pth ="), 'unknown setting "pth"; did you mean "path"'),
        (TEXT.replace('"in.txt"', "3"), '"path" = 3'),
        (TEXT.replace("in.txt", "gone.txt"), 'nothing is at "gone.txt"'),
        (TEXT.replace('documents = "text"', 'documents = "txet"'), 'neither a stage nor a folder; did you mean "text"'),
        (TEXT.replace('documents = "text"', 'documents = "clean"'), "cycle: clean reads clean"),
        (TEXT.replace("read.documents", "read.docs"), 'it has no input "docs"; did you mean "documents"'),
        (TEXT.replace('id = "clean"', 'id = "text"'), 'two stages have the id "text"'),
        (TEXT.replace('id = "clean"', 'id = "../up"'), "Use letters, digits"),
        (TEXT.replace('"data.filter"', '"tokenizer.encode"'), "read.tokenizer is missing"),
    ],
)
def test_a_wrong_recipe(capsys, verb, recipe, said):
    assert said in refused(capsys, recipe, verb=verb)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "text.pth=x"), 'did you mean "path"'),
        (("--set", "txet.path=x"), 'no stage has the id "txet"; did you mean "text"'),
        (("--set", "nonsense"), '"nonsense" is not an override'),
        (("--set", "machine.wrokers=2"), 'did you mean "workers"'),
        (("--set", "machine.workers=many"), "\"workers\" = 'many'"),
        (("--profile", "smoek"), 'the recipe has no profile "smoek"'),
    ],
)
def test_wrong_words_on_the_command_line(capsys, words, said):
    assert said in refused(capsys, TEXT, *words)


def test_all_mistakes_are_told_together(capsys):
    said = refused(capsys, TEXT.replace("path =", "pth =").replace("read.documents", "read.docs"))
    assert "2 mistakes" in said or "3 mistakes" in said


def test_a_cycle_of_two(capsys):
    recipe = '[[stage]]\nid = "a"\nrun = "data.filter"\nread.documents = "b"\n'
    recipe += '[[stage]]\nid = "b"\nrun = "data.dedup"\nread.documents = "a"\n'
    assert "cycle: a reads b reads a" in refused(capsys, recipe)


def test_an_artifact_of_another_kind_or_a_damaged_one(capsys, here):
    Path("r.toml").write_text(TEXT)
    assert command(["run", "r.toml", "--until", "text"]) == 0
    capsys.readouterr()
    recipe = '[[stage]]\nid = "t"\nrun = "tokenizer.learn"\nread.documents = "PATH"\n'
    assert command(["plan", "r.toml", "--set", "clean.read.documents=runs/mine/01-text"]) == 0
    capsys.readouterr()
    sft = '[[stage]]\nid = "s"\nrun = "posttrain.sft"\nread.model = "runs/mine/01-text"\nread.conversations = "x"\n'
    assert "found documents where checkpoint is needed" in refused_again(capsys, sft)
    (here / "runs/mine/01-text/manifest.json").write_text("{broken")
    said = refused_again(capsys, recipe.replace("PATH", "runs/mine/01-text"))
    assert "the manifest cannot be read" in said
    (here / "runs/mine/01-text/manifest.json").write_text(json.dumps({"kind": "documents", "schema_version": 99}))
    assert "schema 99" in refused_again(capsys, recipe.replace("PATH", "runs/mine/01-text"))


def refused_again(capsys, recipe: str) -> str:
    Path("other.toml").write_text(recipe)
    assert command(["plan", "other.toml"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("name", "contents", "said"),
    [
        ("in.txt", b"", "no document was kept"),
        ("in.txt", b"\n\n  \n", "no document was kept"),
        ("in.jsonl", b"{broken\nnot json\n", ""),
        ("in.parquet", b"PAR1 garbage", ""),
        ("in.txt.gz", b"\x1f\x8b garbage", ""),
    ],
)
def test_empty_and_broken_data_stop_in_one_paragraph(capsys, here, name, contents, said):
    (here / "in.txt").unlink()
    (here / name).write_bytes(contents)
    (here / "r.toml").write_text(TEXT.replace("in.txt", name))
    assert command(["run", "r.toml"]) == 2
    err = capsys.readouterr().err
    told = err[err.index("hornbook: ") :]
    assert "Traceback" not in err and said in told and len(told.strip().splitlines()) == 1, told
    assert not (here / "runs/mine/01-text").exists() and not (here / "runs/mine/02-clean").exists()
    assert (here / "runs/mine/report.html").exists()


def test_a_truncated_gzip_keeps_what_is_whole_and_says_so(here):
    lines = [json.dumps({"text": f"Line {i} says something new: {i * i * 7919}."}) for i in range(3000)]
    whole = gzip.compress("\n".join(lines).encode())
    (here / "in.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    (here / "r.toml").write_text(TEXT.replace("in.txt", "in.jsonl.gz"))
    assert command(["run", "r.toml", "--until", "text"]) == 0
    manifest = json.loads((here / "runs/mine/01-text/manifest.json").read_text())
    assert 1000 < manifest["counts"]["docs"] < 2999, manifest["counts"]
    funnel = json.loads((here / "runs/mine/01-text/funnel.json").read_text())
    assert funnel["dropped"].get("read.truncated") == 1, funnel


def test_a_warc_of_garbage(capsys, here):
    (here / "bad.warc.gz").write_bytes(gzip.compress(b"\x00\x01garbage" * 100) + b"\x1f\x8b\x08more garbage")
    recipe = '[[stage]]\nid = "text"\nrun = "data.extract"\npath = "bad.warc.gz"\n'
    (here / "r.toml").write_text('name = "mine"\n' + recipe)
    assert command(["run", "r.toml"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and "hornbook: " in err
    assert not (here / "runs/mine/01-text").exists()


def test_a_folder_that_cannot_be_made(capsys, here):
    (here / "runs").write_text("a file is in the way")
    (here / "r.toml").write_text(TEXT)
    assert command(["run", "r.toml"]) == 2
    assert "the run's folder cannot be made" in capsys.readouterr().err

"""`hornbook why` over a small run of the generated world, whose truth is known."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.cli.main import command
from hornbook.cli.why import reasons
from hornbook.core.artifact import Artifact, Manifest
from hornbook.core.document import Document
from hornbook.core.recipe import build_recipe
from hornbook.data.trace import Fate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    arguments = ["demo", "--profile", "smoke", "--until", "unique", "--runs", str(folder)]
    rules = '["url", "language", "gopher_quality", "gopher_repetition"]'
    sets = ["--set", "pages.text_bytes=300000", "--set", f"clean.rules={rules}"]
    sets += ["--set", "clean.rule={gopher_quality = {min_words = 150}}"]
    assert command(["run", *arguments, *sets]) == 0
    return folder / "demo-smoke"


def truth(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return [
        row for file in sorted((folder / "02-pages/truth").glob("*.parquet")) for row in pq.read_table(file).to_pylist()
    ]


def ask(folder: Path, *words: str) -> Any:
    return command(["why", str(folder), *words, "--json"])


def test_an_invented_language_was_dropped_by_the_rule_that_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules: set[str] = set()
    for row in [row for row in truth(folder) if row["kind"] == "foreign"]:
        assert ask(folder, row["url"]) == 0
        said = json.loads(capsys.readouterr().out)
        (document,) = said["documents"]
        assert said["found_by"] == "address" and document["url"] == row["url"]
        assert [step["kept"] for step in document["stages"]] == [True, False]
        last = document["stages"][-1]
        rules.add(last["rule"])
        assert last["stage"] == "04-clean" and last["setting"] in ("", "rule.language.min_confidence")
    assert rules and rules <= {"language.unknown", "language.other"}


def test_a_missing_page_and_its_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = next(row for row in truth(folder) if row["kind"] == "missing")
    assert command(["why", str(folder), row["url"]]) == 0
    out = capsys.readouterr().out
    assert "03-text: dropped by extract.http_status, value 404" in out and "the server did not answer 200" in out


def test_a_copy_leads_to_the_one_that_was_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    family = {row["url"]: row["duplicate_of"] or row["url"] for row in truth(folder)}
    led = 0
    for url in [url for url, first in family.items() if first != url]:
        assert command(["why", str(folder), url]) == 0
        out = capsys.readouterr().out
        head, found, after = out.partition("The copy that was kept instead")
        assert bool(found) == ("dropped by dedup." in head), out
        if found:
            led += 1
            assert "05-unique: kept" in after and "It was kept to the end" in after
            kept = next(word for line in after.split("\n") for word in line.split() if word.startswith("http"))
            assert kept != url and family[kept] == family[url]
    assert led > 0


def test_what_to_change_is_a_setting_that_plan_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pyarrow.parquet as pq

    rows = [row for file in (folder / "04-clean/dropped").glob("*") for row in pq.read_table(file).to_pylist()]
    row = next(row for row in rows if row["rule"] == "gopher.too_short")
    assert command(["why", str(folder), row["id"]]) == 0
    out = capsys.readouterr().out
    change = out.partition("--set '")[2].partition("'")[0]
    assert change == f"clean.rule.gopher_quality.min_words={row['value']}" and int(row["value"]) < 150
    assert command(["plan", str(folder), "--set", change]) == 0


def test_words_of_a_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = next(row for row in truth(folder) if row["kind"] == "story" and not row["duplicate_of"])
    words = " ".join(row["clean_text"].split("\n")[-1].split()[:12])
    assert command(["why", str(folder), words]) == 0
    assert row["url"] in capsys.readouterr().out


def test_nothing_found_says_where_it_was_looked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["why", str(folder), "https://nowhere.example/"]) == 2
    err = capsys.readouterr().err
    assert "03-text, 04-clean, 05-unique" in err and "Traceback" not in err
    assert command(["why", str(folder / "02-pages"), "x"]) == 2
    assert "found pages where documents is needed" in capsys.readouterr().err


OWN = """
from hornbook.core.document import Keep
from hornbook.core.settings import StrictSettings
RULES = {"mine.long": "more than max_share of something (value: the share)"}
class Settings(StrictSettings):
    max_share: float = 0.5
def decide(document, settings):
    return Keep()
"""


def fate(folder: Path, rule: str, value: str, settings: dict[str, Any], meta: dict[str, Any] | None = None) -> Fate:
    manifest = Manifest(kind="documents", stage="data.filter", settings=settings)
    return Fate(Artifact(folder / "02-clean", manifest), Document("1", "text", meta=meta or {}), rule, value)


def test_the_advice_for_a_filter_of_ones_own_is_an_override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_filter.py").write_text(OWN)
    said = reasons(fate(tmp_path, "mine.long", "0.9", {"rules": ["./my_filter.py"]}))
    change = said[-1].partition("--set '")[2].partition("'")[0]
    assert said[1] == 'setting clean.rule."./my_filter.py".max_share = 0.5'
    stages = [{"id": "clean", "run": "data.filter", "rules": ["./my_filter.py"]}]
    recipe = build_recipe({"name": "x", "stage": stages}, "test", overrides=[change])
    assert recipe.stage("clean").settings["rule"] == {"./my_filter.py": {"max_share": 0.901}}


def test_without_the_own_filters_file_nothing_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert reasons(fate(tmp_path, "mine.long", "0.9", {"rules": ["./my_filter.py"]})) == []


def test_the_limit_is_that_of_the_documents_profile(tmp_path: Path) -> None:
    settings = {"kinds": {"verse": "poems"}}
    said = reasons(fate(tmp_path, "repetition.lines", "0.93", settings, {"format": "verse"}))
    assert "profile poems" in said[0] and said[1] == "setting clean.rule.gopher_repetition.max_lines = 0.9"
    assert said[2].startswith("to keep it: --set 'clean.rule.gopher_repetition.max_lines=0.931'")
    assert reasons(fate(tmp_path, "repetition.lines", "0.4", settings))[1].endswith("max_lines = 0.3")


@pytest.mark.parametrize(
    ("rule", "value", "advice"),
    [
        ("gopher.few_letters", "0.000454545", "min_letter_words=0.000454"),  # `plan` refuses a limit below 0
        ("repetition.line_chars", "0.2", "max_line_chars=0.201"),  # 0.2000004, kept with six digits
        ("repetition.duplicate_6gram", "0.5", "max_duplicate_ngrams=[0.15, 0.501, 0.13, 0.12, 0.11, 0.1]"),
        ("gopher.too_long", "123456", "max_words=123456"),
    ],
)
def test_what_to_set_lets_the_value_through(tmp_path: Path, rule: str, value: str, advice: str) -> None:
    said = reasons(fate(tmp_path, rule, value, {}))
    assert said[-1].partition("'")[2].partition("'")[0].partition("gopher_")[2].partition(".")[2] == advice

"""`hornbook why` over a small run of the generated world, whose truth is known."""

import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.cli.main import command


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
    assert rules <= {"language.unknown", "language.other"}


def test_a_missing_page_and_its_status(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = next(row for row in truth(folder) if row["kind"] == "missing")
    assert command(["why", str(folder), row["url"]]) == 0
    out = capsys.readouterr().out
    assert "03-text: dropped by extract.http_status, value 404" in out and "the server did not answer 200" in out


def test_a_copy_leads_to_the_one_that_was_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copies = {row["url"]: row["duplicate_of"] for row in truth(folder) if row["duplicate_of"]}
    led = 0
    for url, original in copies.items():
        assert command(["why", str(folder), url]) == 0
        out = capsys.readouterr().out
        if "dropped by dedup." in out:
            led += 1
            after = out.partition("The copy that was kept instead")[2]
            assert "05-unique: kept" in after and "It was kept to the end" in after
            assert original in after or "http" in after
        else:
            assert "It was kept to the end" in out or "dropped by" in out
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

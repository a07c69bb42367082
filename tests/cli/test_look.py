"""`hornbook look` on tiny runs and artifacts: facts, drops by rule, the fate of a document, curves, progress."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from hornbook.cli.main import command
from hornbook.core.artifact import building
from hornbook.core.document import Document, to_table
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog

DROPS = [(Document(f"id{n}", f"short {n}", url=f"http://x.example/{n}"), "gopher.too_short", str(n)) for n in range(12)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two documents stages: the first keeps everything, the second drops twelve of thirteen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HORNBOOK_RUNS", raising=False)
    folder = tmp_path / "runs" / "toy"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text('name = "toy"\n')
    stays = Document("stays", "A text that stays \x1b[31mred.", url="http://x.example/stays")
    documents(folder / "01-text", [*(document for document, _, _ in DROPS), stays], [])
    documents(folder / "02-clean", [stays], DROPS)
    return folder


def documents(path: Path, kept: Sequence[Document], dropped: Sequence[tuple[Document, str, str]]) -> None:
    with building(path, kind="documents", log=RunLog(quiet=True), machine=Machine()) as out:
        for name in ("kept", "dropped"):
            (out.path / name).mkdir()
        pyarrow.parquet.write_table(to_table(kept), out.path / "kept" / "00000.parquet")
        table = to_table([document for document, _, _ in dropped])
        table = table.append_column("rule", pyarrow.array([rule for _, rule, _ in dropped], pyarrow.large_string()))
        table = table.append_column("value", pyarrow.array([value for _, _, value in dropped], pyarrow.large_string()))
        pyarrow.parquet.write_table(table, out.path / "dropped" / "00000.parquet")
        rules = dict(Counter(rule for _, rule, _ in dropped))
        funnel = {"in": len(kept) + len(dropped), "kept": len(kept), "edited": {}, "dropped": rules}
        (out.path / "funnel.json").write_text(json.dumps(funnel | {"bytes_in": 1, "bytes_kept": 1}))
        out.counts["docs"] = len(kept)
        out.licences.append("CC0-1.0")


def test_a_run_by_name_lists_its_stages(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[:3] for line in out.splitlines() if line.startswith("0")] == [
        ["01-text", "complete", "documents"],
        ["02-clean", "complete", "documents"],
    ]
    assert "13 docs" in out
    assert command(["look", "toy", "--json"]) == 0
    assert [stage["counts"] for stage in json.loads(capsys.readouterr().out)["stages"]] == [{"docs": 13}, {"docs": 1}]


def test_an_artifact_shows_facts_funnel_and_samples(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", str(run / "02-clean")]) == 0
    out = capsys.readouterr().out
    assert "CC0-1.0" in out and "1 of 13 documents stayed (7.7 %)" in out
    assert "A text that stays" in out and "\x1b" not in out


def test_ten_drops_of_a_rule(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy", "--rule", "gopher.too_short"]) == 0
    out = capsys.readouterr().out
    assert out.count("short ") == 10 and "12 dropped by gopher.too_short, 10 of them" in out
    assert command(["look", str(run / "02-clean"), "--rule", "gopher.too_short", "--samples", "2"]) == 0
    assert capsys.readouterr().out.count("http://x.example/") == 2


def test_ten_drops_of_every_rule(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy", "--dropped"]) == 0
    out = capsys.readouterr().out
    assert "02-clean: 12 dropped by gopher.too_short, 10 of them" in out and out.count("http://x.example/") == 10
    assert command(["look", str(run / "01-text"), "--dropped"]) == 0
    assert "No document was dropped here." in capsys.readouterr().out


def test_an_unknown_rule_names_the_nearest(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy", "--rule", "gopher.too_shrt"]) == 2
    assert 'did you mean "gopher.too_short"' in capsys.readouterr().err


@pytest.mark.parametrize("asked", [("--id", "id7"), ("--url", "http://x.example/7")])
def test_why_a_document_was_dropped(run: Path, asked: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy", *asked]) == 0
    out = capsys.readouterr().out
    assert "id7 http://x.example/7" in out and "01-text: kept (7 characters)" in out
    assert "02-clean: dropped by gopher.too_short, value 7" in out


def test_a_document_that_nobody_saw(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy", "--id", "nobody"]) == 2
    assert 'no document has the id "nobody"' in capsys.readouterr().err


def test_a_stage_under_way_shows_progress_and_curve(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from hornbook.pipeline.runlock import only_writer

    partial = run / "03-base.partial"
    partial.mkdir()
    points = [{"step": n, "tokens": 100 * n, "loss": 4.0 - n} for n in (1, 2, 3)]
    (partial / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    (run / "progress.json").write_text(json.dumps({"text": "train: 300/900 tokens  33%", "finished": False}))
    assert command(["look", str(run / "03-base")]) == 0
    out = capsys.readouterr().out
    assert "not complete" in out and "33%" not in out and "3 → 1" in out
    with only_writer(run):
        assert command(["look", str(run / "03-base")]) == 0
    assert "being built\ntrain: 300/900 tokens  33%" in capsys.readouterr().out


def test_what_is_nothing_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "tyo"]) == 2
    assert "toy" in capsys.readouterr().err
    Path("empty").mkdir()
    assert command(["look", "empty"]) == 2
    assert "neither an artifact" in capsys.readouterr().err


def test_no_samples_are_no_unknown_rule(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", "toy", "--rule", "gopher.too_short", "--samples", "0"]) == 0
    assert "12 dropped by gopher.too_short, 0 of them" in capsys.readouterr().out


def test_on_a_terminal_several_rules_go_through_the_pager(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    documents(run / "03-more", [], [(Document("x", "other"), "c4.few_sentences", "1")])
    paged: list[str] = []
    monkeypatch.setattr("rich.pager.SystemPager.show", lambda self, content: paged.append(content))
    monkeypatch.setattr("hornbook.cli.look.screen", lambda: Console(force_terminal=True, width=100))
    assert command(["look", "toy", "--dropped"]) == 0
    [content] = paged
    assert "12 dropped by gopher.too_short" in content and "1 dropped by c4.few_sentences" in content
    assert "dropped by" not in capsys.readouterr().out

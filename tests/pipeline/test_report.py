"""report.html of a run."""

import json
import re

import pytest

from hornbook.pipeline.history import view_run
from hornbook.pipeline.report import curve, flat, is_noncommercial, main_counts, page_of, tiles, write_report


def test_the_report_of_a_run_says_what_was_done(toy, run):
    run("high.count=4")
    text = (toy / "runs/toy/report.html").read_text()
    for words in ("toy", "complete", "3 of 3 stages complete", "Add numbers up.", "CC-BY-4.0", "counting", "sum"):
        assert words in text
    assert "What to try next" in text and "recipe.lock.toml" in text
    assert re.search(r"Fingerprint [0-9a-f]{32}, payload [0-9a-f]{32}, seed 3, Hornbook \d", text)
    assert not list((toy / "runs/toy").glob(".report*"))


def test_the_report_of_a_failed_run_says_why(toy, run):
    run('high.fail="data"')
    text = (toy / "runs/toy/report.html").read_text()
    assert 'role="alert">the third line is empty' in text and "1 of 3 stages complete" in text
    assert 'class="badge failed"' in text


def test_the_same_run_gives_the_same_page(toy, run):
    run()
    first = write_report(toy / "runs/toy").read_bytes()
    assert write_report(toy / "runs/toy").read_bytes() == first


def test_hostile_words_stay_words(toy, run):
    run('high.note="<script>alert(1)</script>"', 'low.note="]]> --> \\u0007"')
    text = (toy / "runs/toy/report.html").read_text()
    assert "<script" not in text and "&lt;script&gt;alert(1)" in text and "\x07" not in text


def test_tiles_and_scores(toy, run):
    run()
    folder = toy / "runs/toy/03-sum"
    manifest = json.loads((folder / "manifest.json").read_text()) | {"kind": "scores", "stage": "evaluate.perplexity"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    score = {
        "name": "bits", "title": "bits per byte", "value": 1.25, "low": 1.2, "high": 1.3, "num_cases": 9,
        "unit": "bits per byte", "baseline": 4.4, "bar": 2.0, "protocol": "p", "lower_is_better": True, "passed": True,
    }  # fmt: skip
    (folder / "scores.json").write_text(json.dumps({"scores": [score]}))
    run_view = view_run(toy / "runs/toy")
    found = {label: value for value, label in tiles(run_view)}
    assert found["bits per byte"] == "1.250" and found["bars met"] == "1 of 1"
    assert page_of(run_view).blocks[0].rows[0].value == 1.25
    assert "≤ 2 met" in write_report(toy / "runs/toy").read_text()


@pytest.mark.parametrize(
    ("licence", "closed"),
    [("CC-BY-NC-4.0", True), ("cc by-nc-sa", True), ("CC-BY-4.0", False), ("Non-Commercial", True), ("NCSA", False)],
)
def test_noncommercial_licences_are_noticed(licence, closed):
    assert is_noncommercial(licence) is closed


def test_a_noncommercial_input_raises_a_visible_note(toy, run):
    text = (toy / "counting.py").read_text().replace("CC-BY-4.0", "CC-BY-NC-4.0")
    (toy / "counting.py").write_text(text)
    run()
    assert "Not for commercial use" in (toy / "runs/toy/report.html").read_text()


def test_counts_and_settings_in_words(toy, run):
    from hornbook.core.artifact import Artifact, Manifest

    counts = {"bytes": 3_000_000, "docs": 14_200, "train_bytes": 500, "events": [], "wh": 1.0, "tokens": 2.5e6}
    artifact = Artifact(toy, Manifest(kind="tokens", counts=counts))
    assert main_counts(artifact, 4) == "14.2k docs, 3 MB, 500 B train, 2.5M tokens"
    assert flat({"a": {"b": {"c": 1}, "d": {}}, "e": [1]}) == {"a.b.c": 1, "a.d": {}, "e": [1]}


def test_the_curve_is_of_the_newest_model_even_while_it_trains(toy, run):
    run()
    assert curve(view_run(toy / "runs/toy")) == []
    folder = toy / "runs/toy/03-sum"
    rows = [{"tokens": 10, "loss": 3.0}, {"tokens": 20, "loss": 2.0, "validation_nats": 1.0}, {"tokens": 30}]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (found,) = curve(view_run(toy / "runs/toy"))
    assert found.title == "sum: loss" and found.lines == {"sum": [(10.0, 3.0), (20.0, 2.0)]}
    folder.rename(folder.with_name("03-sum.partial"))
    (folder.with_name("03-sum.partial") / "manifest.json").unlink()
    assert curve(view_run(toy / "runs/toy")) == [found]


def test_little_energy_is_not_written_with_zeros(toy, run):
    run()
    assert "&lt; 0.01 Wh" in (toy / "runs/toy/report.html").read_text()

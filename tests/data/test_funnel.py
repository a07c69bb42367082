from pathlib import Path

import pyarrow.parquet as pq

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.settings import parse
from hornbook.data import filter as stage
from hornbook.data.funnel import dropped_samples, dropped_values, first_documents, histogram
from hornbook.report.blocks import Funnel, Samples, Spreads, Table

LONG = "The mill by the river turned to the wind and that was good. " * 30


def build(folder: Path) -> Artifact:
    (folder / "in/kept").mkdir(parents=True)
    for shard in range(3):
        rows = [Document(f"{shard}{i}", LONG if i % 2 else f"no {i}", "https://a.example/", "s") for i in range(8)]
        pq.write_table(to_table(rows), folder / f"in/kept/{shard}.parquet")
    out = scratch_out(folder / "out")
    settings = {"rules": ["gopher_quality"]}
    given = Artifact(folder / "in", Manifest(kind="documents"))
    stage.run(parse(stage.Settings, settings, "test"), {"documents": given}, out)
    return Artifact(folder / "out", Manifest(kind="documents", stage="data.filter", settings=settings))


def test_a_report_says_what_was_dropped_and_shows_it(tmp_path: Path) -> None:
    funnel, table, limits, kept, dropped = stage.describe(build(tmp_path))
    assert isinstance(limits, Spreads)
    (row,) = limits.rows  # every dropped text has two words, the limit is 50
    assert (row.name, row.low, row.high, row.mark) == ("gopher.too_short", 2, 50, 50)
    assert row.counts[0] == sum(row.counts) == 12
    assert row.cells == [50, 12, 2, 2, 2, "rule.gopher_quality.min_words"]
    assert isinstance(funnel, Funnel) and (funnel.num_in, funnel.num_kept) == (24, 12)
    assert funnel.dropped == {"gopher.too_short": 12}
    assert isinstance(table, Table) and table.rows[0][:3] == ["gopher.too_short", 12, "50.0 %"]
    assert "Gopher" in str(table.rows[0][3])
    assert isinstance(kept, Samples) and len(kept.items) == 3 and kept.items[0]["text"].endswith(" …")
    assert {item["id"][0] for item in kept.items} == {"0", "1", "2"}  # spread over the shards
    assert isinstance(dropped, Samples) and dropped.folded
    assert dropped.title == "Dropped by gopher.too_short: 10 of 12"
    assert [(item["rule"], item["value"], item["text"]) for item in dropped.items][0] == (
        "gopher.too_short",
        "2",
        "no 0",
    )


def test_samples_by_rule(tmp_path: Path) -> None:
    folder = build(tmp_path).path
    everything = [document.id for document, _, _ in dropped_samples(folder, 100)]
    assert len(everything) == 12
    few = dropped_samples(folder, 5, "gopher.too_short")
    assert [document.id for document, _, _ in few] == sorted(everything)[:5]  # the smallest hashes: a random sample
    assert [value for _, _, value in few] == ["2"] * 5 and dropped_samples(folder, 5, "another") == []
    assert len(first_documents(folder / "kept", 2)) == 2 and len(first_documents(folder / "kept", 100)) == 12


def test_values_by_rule_and_how_they_are_spread(tmp_path: Path) -> None:
    folder = build(tmp_path).path
    found = dropped_values(folder)
    assert list(found) == ["gopher.too_short"] and found["gopher.too_short"].tolist() == [2.0] * 12
    assert histogram(found["gopher.too_short"], 2, 50, bins=3) == [12, 0, 0]

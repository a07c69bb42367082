from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.settings import parse
from hornbook.data import filter as stage
from hornbook.data.funnel import dropped_samples, dropped_values, first_documents, histogram, outwards
from hornbook.data.limits import Rule
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


@given(st.one_of(st.floats(1e-6, 1), st.floats(1.0001, 1e6)), st.sampled_from([1, -1]))
def test_the_limit_that_is_shown_lets_the_value_through(value: float, sign: int) -> None:
    """The value itself, not the six digits of it that were kept."""
    rule = Rule("", "max_ratio" if sign > 0 else "min_ratio", 1e7 if sign < 0 else 0.0)
    stored = float(f"{value:.6g}")
    limit = outwards(stored, rule)
    assert sign * limit >= sign * value
    assert abs(limit - value) <= 0.0101 * value and float(f"{limit:.3g}") == limit


def test_limits_by_hand() -> None:
    most, least = Rule("", "max_share", 0.2), Rule("", "min_share", 0.5)
    assert [outwards(value, most) for value in (0.2, 0.250001, 0.9999, 1.0)] == [0.201, 0.251, 1.0, 1.0]
    assert [outwards(value, least) for value in (0.454545, 0.000454545, 0.4, 0.0)] == [0.454, 0.000454, 0.399, 0.0]
    assert outwards(12.3456, Rule("", "max_perplexity", 9.0)) == 12.4
    assert outwards(190_047, Rule("", "max_chars", 190_000)) == 190_047  # whole numbers are kept whole


def test_values_by_rule_and_how_they_are_spread(tmp_path: Path) -> None:
    folder = build(tmp_path).path
    found = dropped_values(folder)
    assert list(found) == ["gopher.too_short"] and found["gopher.too_short"].tolist() == [2.0] * 12
    assert histogram(found["gopher.too_short"], 2, 50, bins=3) == [12, 0, 0]

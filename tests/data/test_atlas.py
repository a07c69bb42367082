import base64
import gzip
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, building, open_artifact
from hornbook.core.document import Document
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog
from hornbook.core.settings import parse
from hornbook.data import atlas
from hornbook.data.insight import layout
from hornbook.data.insight.vectors import counts_of
from hornbook.report.blocks import Table

sys.path.insert(0, str(Path(__file__).parent))
import corpora

HOSTILE = '</script><script>document.title="taken"</script><img src=x onerror=alert(1)> {{ 7*7 }} ]]> \u2028'


@pytest.fixture(autouse=True)
def fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layout itself is tested in test_layout; here it need not be good."""
    monkeypatch.setattr(layout, "EARLY_STEPS", 20)
    monkeypatch.setattr(layout.lay_out, "__defaults__", (15, 1.0, 10, None))


def build(folder: Path, *artifacts: Artifact, workers: int = 1, **settings: Any) -> Artifact:
    machine = Machine(workers=workers)
    with building(folder, kind="index", log=RunLog(quiet=True), machine=machine, stage="data.atlas", seed=7) as out:
        atlas.run(parse(atlas.Settings, settings, "test"), {"documents": artifacts}, out)
    return open_artifact(folder)


def payload(made: Artifact) -> dict[str, Any]:
    found = re.search(r'id="data">([^<]*)</script>', (made.path / "atlas.html").read_text("utf-8"))
    assert found is not None
    return json.loads(gzip.decompress(base64.b64decode(found[1])))


def codes(facet: dict[str, Any]) -> list[str]:
    return [facet["names"][code] for code in base64.b64decode(facet["codes"])]


def two_stages(folder: Path) -> tuple[Artifact, Artifact]:
    documents = corpora.topic_documents(30)
    lost = [(d, "rule.sea", "1") for d in documents if d.source == "sea"]
    hostile = Document("h" * 32, HOSTILE + corpora.topic_text("sea", 999), f"https://x.example/{HOSTILE}", HOSTILE)
    kept = [d for d in documents if d.source != "sea"] + [hostile]
    return corpora.put(folder / "01-text", [*documents, hostile]), corpora.put(folder / "02-clean", kept, lost)


def test_every_document_once_as_it_ended(tmp_path: Path) -> None:
    made = build(tmp_path / "out", *two_stages(tmp_path))
    data = payload(made)
    facets = {facet["name"]: codes(facet) for facet in data["facets"]}
    assert len(data["ids"]) == len(set(data["ids"])) == 121 == made.manifest.counts["docs"]
    assert made.manifest.counts["dropped"] == 30
    pairs = set(zip(facets["source"], facets["kept or dropped"], strict=True))
    assert pairs == {("sea", "rule.sea"), (HOSTILE, "kept"), ("farm", "kept"), ("night", "kept"), ("kitchen", "kept")}
    assert set(facets["kind"]) == {*corpora.TOPICS, "none"} and "host" in facets
    points = pq.read_table(made.path / "points.parquet")
    assert points["id"].to_pylist() == data["ids"] and points["rule"].to_pylist().count("rule.sea") == 30
    xs = np.frombuffer(base64.b64decode(data["x"]), "<u2")
    assert len(xs) == 121 and xs.min() >= 0 and xs.max() <= 65535


def test_nothing_from_documents_is_markup(tmp_path: Path) -> None:
    made = build(tmp_path / "out", *two_stages(tmp_path))
    text = (made.path / "atlas.html").read_text("utf-8")
    assert 'title="taken"' not in text and "onerror" not in text and text.count("<script") == 2
    hostile = payload(made)["ids"].index("h" * 32)
    assert payload(made)["titles"][hostile].startswith("</script><script>")
    script = re.search(r'<script type="module">(.*)</script>', text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text and "default-src 'none'" in text
    assert not re.search(r"(?:src|href)=\"?https?:|@import|url\(", text)


def test_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    one = build(tmp_path / "a/out", *two_stages(tmp_path / "a"))
    two = build(tmp_path / "b/out", *two_stages(tmp_path / "b"), workers=2)
    assert one.manifest.payload_hash == two.manifest.payload_hash


def test_groups_find_topics_and_their_words(tmp_path: Path) -> None:
    made = build(tmp_path / "out", corpora.put(tmp_path / "in", corpora.topic_documents(40)), groups=4)
    data = payload(made)
    facets = {facet["name"]: codes(facet) for facet in data["facets"]}
    pairs = list(zip(facets["group"], facets["source"], strict=True))
    by_label = {label: {topic for other, topic in pairs if other == label} for label, _ in pairs}
    assert sorted(len(topics) for topics in by_label.values()) == [1, 1, 1, 1]
    for label, (topic,) in by_label.items():
        assert set(label.split(", ")) <= set(corpora.TOPICS[topic])
    (table,) = atlas.describe(made)
    assert isinstance(table, Table) and [row[1] for row in table.rows] == [40] * 4 and "atlas.html" in table.note


def test_a_sample_is_said_to_be_one(tmp_path: Path) -> None:
    made = build(tmp_path / "out", corpora.put(tmp_path / "01-text", corpora.topic_documents(20)), num_docs=30)
    assert len(payload(made)["ids"]) == 30
    found = re.search(r"30 documents of about (\d+)<", (made.path / "atlas.html").read_text("utf-8"))
    assert found and 45 < int(found[1]) < 130  # of 80; the error of 30 lowest hashes is a fifth


def test_how_many_there_are_is_told_from_the_lowest_hashes() -> None:
    keys = np.sort(np.random.default_rng(3).integers(0, 2**64, 300_000, np.uint64, endpoint=False))
    assert atlas.estimated(keys[:40_000], 40_000) == 300_000 and atlas.estimated(keys[:100], 101) == 0


def test_a_document_in_several_inputs_counts_once(tmp_path: Path) -> None:
    """121 documents came in, 91 were kept and 30 dropped: 121 in all, and all of them are shown."""
    made = build(tmp_path / "out", *two_stages(tmp_path))
    assert "121 documents</p>" in (made.path / "atlas.html").read_text("utf-8")


def test_keywords_by_hand() -> None:
    words = ["the", "cat", "cats", "dog", "12", "ox"]
    counts = counts_of(
        ["the cat cats 12", "the cat ox", "the dog", "the dog dog ox"] + ["the"] * 20,
        dict(zip(words, range(6), strict=True)),
    )
    groups = np.array([0, 0, 1, 1] + [2] * 20)
    assert atlas.keywords(counts, groups, words) == [["cat"], ["dog"], ["…"]]  # cats begins like cat; the is everywhere


def test_names_beyond_the_list_are_others() -> None:
    values = [str(number) for number in range(40) for _ in range(40 - number)] + [""]
    facet = atlas.facet("host", values, quiet="0")
    assert facet["names"] == [str(number) for number in range(23)] + ["other"] and facet["quiet"] == [0, 23]
    assert codes(facet)[-1] == "other" and codes(facet)[0] == "0"


def test_titles() -> None:
    assert atlas.title_of("first line\nsecond", {}) == "first line"
    assert atlas.title_of("x" * 100, {}) == "x" * 79 + "…" and atlas.title_of("a", {"title": "B"}) == "B"
    assert atlas.title_of("", {"title": 3}) == ""


def test_where_most_are() -> None:
    places = np.array([[0.1, 0.1], [0.9, 0.9], [0.901, 0.901], [1.0, 0.0]])
    np.testing.assert_allclose(atlas.densest(places), [0.9005, 0.9005])

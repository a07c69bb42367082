import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.cli.main import command
from hornbook.core.artifact import Artifact, Manifest, building, open_artifact
from hornbook.core.document import Document
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog
from hornbook.core.settings import parse
from hornbook.data import index
from hornbook.data.insight.vectors import words_of

sys.path.insert(0, str(Path(__file__).parent))
import corpora

DOCUMENTS = corpora.topic_documents(60)


def build(folder: Path, artifact: Artifact, workers: int = 1, **settings: Any) -> Artifact:
    machine = Machine(workers=workers)
    with building(folder, kind="index", log=RunLog(quiet=True), machine=machine, stage="data.index", seed=7) as out:
        index.run(parse(index.Settings, {"dims": 24, **settings}, "test"), {"documents": artifact}, out)
    return open_artifact(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("index")
    return build(folder / "01-near", corpora.put(folder / "in", DOCUMENTS, shard_docs=41))


def edited(document: Document) -> str:
    """Four of five words, in another order, under another capitalisation, with some words put in."""
    words = [word for place, word in enumerate(words_of(document.text)) if place % 5]
    return "Indeed, " + " ".join(reversed(words)).upper() + " so they say"


def test_planted_near_neighbours_are_found(made: Artifact) -> None:
    """Recall of edited documents among the first three, and the right topic for words that stand for one."""
    searcher = index.Searcher(made.path)
    found = [d.id in [hit.id for hit in searcher.near(edited(d), 3)] for d in DOCUMENTS[::5]]
    assert sum(found) / len(found) >= 0.95
    for topic, words in corpora.TOPICS.items():
        assert {hit.source for hit in searcher.near(" ".join(words[:3]), 10)} == {topic}


def test_an_unchanged_text_is_its_own_nearest(made: Artifact) -> None:
    searcher = index.Searcher(made.path)
    hit, *_ = searcher.near(DOCUMENTS[17].text, 5)
    assert hit.id == DOCUMENTS[17].id and hit.similarity == pytest.approx(1, abs=5e-3)
    assert hit.url == DOCUMENTS[17].url and hit.beginning == DOCUMENTS[17].text[:300]
    idf = {word: searcher.space.idf_V[place] for word, place in searcher.index.items()}
    assert set(hit.words) == {word for word in words_of(DOCUMENTS[17].text[:300]) if idf.get(word, 0) >= 3}
    assert searcher.near("zzz qqq") == []


def test_bm25_by_hand(tmp_path: Path) -> None:
    """Source: the formula of Robertson & Zaragoza 2009 with the idf of our TF-IDF, worked out here in plain Python."""
    texts = ["red fox red", "red hen sits here", "blue hen", "blue fox runs far away"]
    artifact = corpora.put(tmp_path / "in", [Document(str(i), text) for i, text in enumerate(texts)], shard_docs=2)
    searcher = index.Searcher(build(tmp_path / "out", artifact, dims=3).path)
    assert searcher.mean_words == np.mean([3, 2, 2, 2])  # words in one document only are not known: sits, here, runs …
    hits = {hit.id: hit.bm25 for hit in searcher.near("red", 4)}
    idf = np.log((1 + 4) / (1 + 2)) + 1
    for name, times, length in (("0", 2, 3), ("1", 1, 2)):
        expected = idf * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * length / 2.25))
        assert hits[name] == pytest.approx(expected, rel=1e-5)
    assert hits.get("2", 0) == 0


def test_the_same_bytes_with_any_number_of_workers(tmp_path: Path, made: Artifact) -> None:
    two = build(tmp_path / "two", corpora.put(tmp_path / "in", DOCUMENTS, shard_docs=41), workers=2)
    assert two.manifest.payload_hash == made.manifest.payload_hash
    assert two.manifest.counts == {"docs": 240, "words": made.manifest.counts["words"], "dims": 24}


def test_look_near_shows_shared_words(made: Artifact, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", str(made.path), "--near", "a sailor at the harbour", "--samples", "3"]) == 0
    out = capsys.readouterr().out
    assert out.count("https://sea.example/") == 3 and "SAILOR" in out and "HARBOUR" in out
    assert command(["look", str(made.path)]) == 0
    assert "--near" in capsys.readouterr().out


def test_what_is_no_index_is_refused(made: Artifact, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["look", str(made.path.parent / "in"), "--near", "x"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_users_own_parquet_needs_id_and_text_only(tmp_path: Path) -> None:
    (tmp_path / "in/kept").mkdir(parents=True)
    rows = {"id": [d.id for d in DOCUMENTS], "text": [d.text for d in DOCUMENTS]}
    pq.write_table(pa.table(rows), tmp_path / "in/kept/0.parquet")
    artifact = Artifact(tmp_path / "in", Manifest("documents"))
    hit, *_ = index.Searcher(build(tmp_path / "out", artifact).path).near(DOCUMENTS[3].text, 2)
    assert (hit.id, hit.url, hit.source) == (DOCUMENTS[3].id, "", "")

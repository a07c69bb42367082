import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbook.core.artifact import Artifact, building, open_artifact
from hornbook.core.document import Document
from hornbook.core.recipe import Machine
from hornbook.core.runlog import RunLog
from hornbook.core.settings import parse
from hornbook.data import profile
from hornbook.shards.shard import Notes, Shard

sys.path.insert(0, str(Path(__file__).parent))
import corpora

DOCUMENTS = corpora.topic_documents(30)


def build(folder: Path, *artifacts: Artifact, workers: int = 1, **settings: Any) -> Artifact:
    machine = Machine(workers=workers)
    with building(folder, kind="scores", log=RunLog(quiet=True), machine=machine, stage="data.profile", seed=7) as out:
        profile.run(parse(profile.Settings, settings, "test"), {"documents": artifacts}, out)
    return open_artifact(folder)


def numbers(made: Artifact) -> dict[str, Any]:
    return json.loads(made.file("profile.json").read_text("utf-8"))


def test_by_hand(tmp_path: Path) -> None:
    rows = [
        Document(
            "a", "The cat sat.\nThe Cat ran.", "https://www.x.example/1", "s", {"format": "story", "language": "en"}
        ),
        Document("b", "the CAT sat. the cat ran.", "https://x.example/2", "s", {"format": "story", "language": "en"}),
        Document("c", "Ünï 12 {x}", "", "t", {"language": "de", "duplicate_of": "q"}),
    ]
    made = build(tmp_path / "out", corpora.put(tmp_path / "01-text", rows), top=3)
    found = numbers(made)["text"]
    assert (found["docs"], found["words"], found["exact_duplicates"]) == (3, 6 + 6 + 3, 1)
    assert found["sizes"]["bytes"]["sum"] == 25 + 25 + 12 and found["sizes"]["characters"]["sum"] == 25 + 25 + 10
    assert found["sizes"]["lines"]["most"] == 2
    assert found["names"]["host"] == [["x.example", 2, 0]] and found["names"]["source"] == [["s", 2, 0], ["t", 1, 0]]
    assert found["names"]["meta.format"] == [["story", 2, 0]] and "meta.duplicate_of" not in found["names"]
    assert found["ngrams"]["1"] == [["cat", 4, 0], ["the", 4, 0], ["ran", 2, 0]]
    assert found["ngrams"]["2"][0] == ["the cat", 4, 0] and found["ngrams"]["3"][0] == ["cat sat the", 2, 0]
    assert found["classes"]["digits"] == 2 and found["classes"]["beyond ASCII"] == 2
    assert found["classes"]["capitals"] == 3 + 3 + 1 and found["classes"]["white space"] == 5 + 5 + 2
    assert sum(found["classes"][name] for name in profile.CLASSES[:1] + profile.CLASSES[2:5]) == 60
    assert found["signs"]["curly brackets"] == 1 and found["signs"]["cookies"] == 0
    sample = found["sample"]
    assert sample["languages"] == {"en": 2, "de": 1} and sum(sample["ages"].values()) == 2
    assert sample["grade"] == pytest.approx(0.39 * 3 + 11.8 - 15.59) and sample["near_duplicates"] == 1


def test_quantiles_are_numpys_over_all_shards(tmp_path: Path) -> None:
    made = build(tmp_path / "out", corpora.put(tmp_path / "x", DOCUMENTS, shard_docs=17))
    sizes = np.array([len(d.text.encode()) for d in DOCUMENTS])
    found = numbers(made)["x"]["sizes"]["bytes"]
    assert list(found["quantiles"].values()) == np.percentile(sizes, [5, 25, 50, 75, 95, 99]).tolist()
    assert found["mean"] == sizes.mean() and found["most"] == sizes.max() and sum(found["histogram"]) == 120
    assert [10 ** found["low"], 10 ** found["high"]] == pytest.approx([sizes.min(), sizes.max()])


def test_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    found = [
        build(tmp_path / f"{workers}", corpora.put(tmp_path / f"in{workers}/x", DOCUMENTS), workers=workers)
        for workers in (1, 2)
    ]
    assert found[0].manifest.payload_hash == found[1].manifest.payload_hash


def test_before_and_after_stand_side_by_side(tmp_path: Path) -> None:
    copies = [Document(f"copy{n}", d.text.upper(), d.url, d.source, d.meta) for n, d in enumerate(DOCUMENTS[:30])]
    before = corpora.put(tmp_path / "01-text", [*DOCUMENTS, *copies])
    made = build(tmp_path / "out", before, corpora.put(tmp_path / "02-unique", DOCUMENTS), languages=False)
    tables = {block.title: block for block in profile.describe(made)}
    facts: Any = tables["The corpus"]
    assert facts.columns == ["what", "text", "unique"]
    rows = {row[0]: row[1:] for row in facts.rows}
    assert rows["documents"] == [150, 120] and rows["exact copies"] == ["30 (20.0 %)", "0 (0.0 %)"]
    assert rows["near-copies in the sample"] == ["20.0 %", "0.0 %"]
    host: Any = tables["Most frequent: host"]
    assert host.columns == ["host", "text", "of all", "unique", "of all"] and len(host.rows) == 4


def test_easy_words_add_a_grade(tmp_path: Path) -> None:
    (tmp_path / "easy.txt").write_text("the\ncat\n")
    artifact = corpora.put(tmp_path / "x", [Document("a", "The cat sat.", meta={"language": "en"})])
    made = build(tmp_path / "out", artifact, easy_words=str(tmp_path / "easy.txt"))
    assert numbers(made)["x"]["sample"]["dale_chall"] == pytest.approx(0.1579 * 100 / 3 + 0.0496 * 3 + 3.6365)


def test_no_documents_and_no_words(tmp_path: Path) -> None:
    made = build(tmp_path / "out", corpora.put(tmp_path / "x", []), corpora.put(tmp_path / "y", [Document("a", "…")]))
    found = numbers(made)
    assert found["x"]["docs"] == 0 and found["y"]["words"] == 0
    assert profile.describe(made)


def test_a_kill_between_two_corpora_mixes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the sample of the second corpus and its note: the first one's sample stays its own."""
    halves = [corpora.put(tmp_path / f"{n}", DOCUMENTS[8 * n : 8 * (n + 1)]) for n in range(2)]
    wanted = build(tmp_path / "straight", *halves, languages=False).manifest.payload_hash
    finish, num_done = Notes.finish, [0]

    def kill(notes: Notes, shard: Shard, outputs: list[str], summary: dict[str, Any]) -> None:
        num_done[0] += notes.folder.name == "sample texts"
        if num_done[0] == 2:
            raise KeyboardInterrupt
        finish(notes, shard, outputs, summary)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Notes, "finish", kill)
        build(tmp_path / "killed", *halves, languages=False)
    assert build(tmp_path / "killed", *halves, languages=False).manifest.payload_hash == wanted


def test_names_of_folders_and_words_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "easy.txt").write_bytes("the\ncat\ncafé\nrosé\nentrée\n".encode("latin-1"))
    artifact = corpora.put(tmp_path / "fineweb-edu", [Document("a", "The café cat sat.", meta={"language": "en"})])
    found = numbers(build(tmp_path / "out", artifact, easy_words=str(tmp_path / "easy.txt")))
    assert list(found) == ["fineweb-edu"]
    assert found["fineweb-edu"]["sample"]["dale_chall"] is not None


def test_runs_of_a_shard_come_with_what_their_counts_lack() -> None:
    part = {"ngrams": {"2": [("a b", 3)]}, "next": {"2": 2}, "lack": {"2": 1}}
    assert profile._runs([part, part], 2) == [([("a b", 3)], 2, 1)] * 2

import sys
import tracemalloc
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from hornbook.core.artifact import scratch_out
from hornbook.core.document import Document
from hornbook.core.recipe import Machine
from hornbook.core.seed import key
from hornbook.data.learned import sample_documents as sample_module
from hornbook.data.learned.fitting import Examples
from hornbook.data.learned.labels import Example
from hornbook.data.learned.sample_documents import Sampling, joined, sample_documents, sample_examples
from hornbook.shards.shard import Shard

sys.path.insert(0, str(Path(__file__).parents[1]))
from wordy import artifact, documents


@dataclass(frozen=True)
class ByText:
    """Class 1 where the text has the word, 2 where the id ends in 7, -1 where it ends in 9."""

    word: str
    needs_text: bool = True

    def label(self, document: Document) -> int:
        if document.id.endswith(("7", "9")):
            return 2 if document.id.endswith("7") else -1
        return int(self.word in document.text)


SAMPLING = Sampling(per_class=25, num_classes=3, max_chars=80, seed=5)


def test_the_lowest_keys_of_each_class_whatever_the_shards(tmp_path: Path) -> None:
    rows = [document for document, _ in documents(400)]
    labeller = ByText("theorem1")
    wanted: list[str] = []
    for number in range(3):
        mine = [d.id for d in rows if labeller.label(d) == number]
        wanted += sorted(mine, key=lambda name: key(5, f"sample/{name}"))[:25]
    for shards in (1, 3, 5):
        given = artifact(tmp_path / f"in{shards}", rows, shards)
        out = scratch_out(tmp_path / f"out{shards}", machine=Machine(workers=1))
        found = sample_documents(given, labeller, SAMPLING, out, "a sample")
        assert sorted(found.ids) == sorted(wanted) and len(wanted) == 75
        by_id = {d.id: d for d in rows}
        for text, label, group, name in zip(found.texts, found.labels, found.groups, found.ids, strict=True):
            assert text == by_id[name].text[:80] and label == labeller.label(by_id[name])
            assert group == by_id[name].url.split("/")[2]


def test_a_restart_reads_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = artifact(tmp_path / "in", [document for document, _ in documents(60)])
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    first = sample_documents(given, ByText("theorem1"), SAMPLING, out, "sample")
    for file in (tmp_path / "in/kept").glob("*"):
        file.write_bytes(b"")
    assert sample_documents(given, ByText("theorem1"), SAMPLING, out, "sample") == first
    with pytest.raises(Exception, match="Parquet"):
        sample_documents(given, ByText("theorem2"), SAMPLING, out, "sample")


def test_disk_and_memory_hold_the_sample_only(tmp_path: Path) -> None:
    given = artifact(tmp_path / "in", [document for document, _ in documents(900)], 3)
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    sample_documents(given, ByText("theorem1"), replace(SAMPLING, per_class=4), out, "sample")
    import pyarrow.parquet as pq

    files = list((tmp_path / "out").rglob("*.sample.parquet"))
    assert sum(pq.read_metadata(file).num_rows for file in files) == 12
    assert sum(file.stat().st_size for file in (tmp_path / "out").rglob("*.npy")) < 3 * (128 + 12 * 24 + 64)


def test_a_stream_of_examples_keeps_the_lowest_keys() -> None:
    rows = [(Example(f"text {i}", "", f"e{i}"), i % 4 - 1) for i in range(200)]
    found = sample_examples(iter(rows), replace(SAMPLING, per_class=10, max_chars=6))
    for number in range(3):
        mine = [example.id for example, label in rows if label == number]
        wanted = sorted(mine, key=lambda name: key(5, f"sample/{name}"))[:10]
        assert [name for name, label in zip(found.ids, found.labels, strict=True) if label == number] == wanted
    assert set(map(len, found.texts)) == {6}


def test_equal_texts_stay_once_with_the_highest_class() -> None:
    first = Examples(["a  b", "c"], [0, 0], ["g", "g"], ["1", "2"])
    second = Examples(["a b", "d"], [1, 1], ["h", "h"], ["3", "4"])
    assert joined([first, second]) == Examples(["a b", "d", "c"], [1, 1, 0], ["h", "h", "g"], ["3", "4", "2"])
    assert joined([]) == Examples([], [], [], [])


def test_memory_holds_one_shard_and_the_sample(tmp_path: Path) -> None:
    """100 shards with 1,000 places each are 2.4 MB; the sample of 500 is 4 kB."""
    shards = [Shard(f"{number:05d}", {}) for number in range(100)]
    generator = np.random.default_rng(0)
    keys = generator.integers(0, 2**63, (100, 1000), np.uint64)
    for shard, mine in zip(shards, keys, strict=True):
        rows = np.stack((np.arange(1000, dtype=np.uint64), mine, np.zeros(1000, np.uint64)), axis=1)
        np.save(tmp_path / f"{shard.name}.chosen.npy", rows)
    tracemalloc.start()
    limits = sample_module._limits(tmp_path, shards, replace(SAMPLING, per_class=500))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert limits == [int(np.sort(keys.ravel())[499]), -1, -1] and peak_bytes < 300_000

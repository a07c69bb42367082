import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document
from hornbook.core.recipe import Machine
from hornbook.data.insight.sample import keys_of, sample

sys.path.insert(0, str(Path(__file__).parents[1]))
import corpora


def test_the_smallest_hashes_whatever_the_shards_and_workers(tmp_path: Path) -> None:
    documents = corpora.topic_documents(40)
    keys = keys_of([d.id for d in documents]).tolist()
    wanted = [d.id for _, d in sorted(zip(keys, documents, strict=True), key=lambda pair: pair[0])][:30]
    for name, shard_docs, workers in (("a", 7, 1), ("b", 160, 1), ("c", 33, 2)):
        artifact = corpora.put(tmp_path / name, documents, shard_docs=shard_docs)
        table = sample([artifact], scratch_out(tmp_path / f"{name}out", machine=Machine(workers=workers)), 30, 20)
        assert table["id"].to_pylist() == wanted
        assert all(len(text) <= 20 for text in table["text"].to_pylist())
    everything = sample([artifact], scratch_out(tmp_path / "all"), 10_000, 100)
    assert len(everything) == 160


def test_a_document_in_several_artifacts_counts_once_as_it_ended(tmp_path: Path) -> None:
    documents = corpora.topic_documents(5)
    first = corpora.put(tmp_path / "01-text", documents)
    lost = [(d, "rule.short", "3") for d in documents[:4]]
    second = corpora.put(tmp_path / "02-clean", documents[4:], lost)
    table = sample([first, second], scratch_out(tmp_path / "out"), 100, 50, dropped=True)
    ended = dict(zip(table["id"].to_pylist(), table["rule"].to_pylist(), strict=True))
    assert len(table) == len(documents)
    assert {d.id for d in documents[:4]} == {identity for identity, rule in ended.items() if rule == "rule.short"}
    kept_only = sample([second], scratch_out(tmp_path / "out2"), 100, 50)
    assert {*kept_only["id"].to_pylist()} == {d.id for d in documents[4:]}


def test_characters_are_cut_never_bytes(tmp_path: Path) -> None:
    artifact = corpora.put(tmp_path / "in", [Document("a", "äöü😀xyz")])
    assert sample([artifact], scratch_out(tmp_path / "out"), 5, 4)["text"].to_pylist() == ["äöü😀"]


def test_a_users_own_parquet_lacks_columns_and_values(tmp_path: Path) -> None:
    (tmp_path / "in/kept").mkdir(parents=True)
    rows = {"id": ["a", "b"], "text": ["one", None], "url": [None, "https://b.example/"]}
    pq.write_table(pa.table(rows), tmp_path / "in/kept/0.parquet")
    table = sample([Artifact(tmp_path / "in", Manifest("documents"))], scratch_out(tmp_path / "out"), 9, 20)
    found = {row["id"]: (row["text"], row["url"], row["source"], row["meta"]) for row in table.to_pylist()}
    assert found == {"a": ("one", "", "", ""), "b": ("", "https://b.example/", "", "")}

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from hornbook.core.document import Document, to_table
from hornbook.data.copies.verdicts import Verdicts


def test_a_copy_points_at_what_stays_after_all_rules(tmp_path: Path) -> None:
    verdicts = Verdicts(5)
    verdicts.add("by.address", np.array([0, 0, 2, 3, 4]))
    assert verdicts.alone().tolist() == [True, False, True, True, True]
    verdicts.add("by.text", np.array([3, 1, 2, 3, 4]))
    verdicts.add_one("by.likeness", 3, 0.5, 4)
    assert verdicts.kept().tolist() == [4, 4, 2, 4, 4]
    for name, ids in (("a", [b"zero", b"one"]), ("b", [b"two", b"drei", b"four"])):
        np.save(tmp_path / f"{name}.id.npy", np.array(ids))
    verdicts.write(tmp_path, ["a", "b"], np.array([0, 2, 5]))
    assert json.loads((tmp_path / "a.verdicts.json").read_text()) == {
        "0": ["by.text", 1.0, "four"],
        "1": ["by.address", 1.0, "four"],
    }
    assert json.loads((tmp_path / "b.verdicts.json").read_text()) == {"1": ["by.likeness", 0.5, "four"]}


def test_copies_kept_in_other_shards_whose_ids_are_longer(tmp_path: Path) -> None:
    ids = [[b"a", b"b"], [b"a-long-one", b"d", b"e"], [], [b"f", b"gg"]]
    names = [str(n) for n in range(len(ids))]
    for name, here in zip(names, ids, strict=True):
        np.save(tmp_path / f"{name}.id.npy", np.array(here, np.bytes_))
    verdicts = Verdicts(7)
    verdicts.add("exact", np.array([0, 6, 2, 0, 4, 2, 6]))
    verdicts.write(tmp_path, names, np.array([0, 2, 5, 5, 7]))
    found = {name: json.loads((tmp_path / f"{name}.verdicts.json").read_text()) for name in names}
    assert {name: {row: value[2] for row, value in rows.items()} for name, rows in found.items()} == {
        "0": {"1": "gg"}, "1": {"1": "a"}, "2": {}, "3": {"0": "a-long-one"},
    }  # fmt: skip


def test_a_tenth_belongs_to_the_bin_that_it_begins(tmp_path: Path) -> None:
    pq.write_table(to_table([Document(str(n), "text") for n in range(11)]), tmp_path / "0.parquet")
    verdicts = Verdicts(11)
    for tenths in range(1, 11):
        verdicts.add_one("alike", tenths, tenths / 10, 0)
    found = verdicts.clusters([str(tmp_path / "0.parquet")], np.array([0, 11]), "alike")
    assert found["similarity"] == [[f"{n / 10:.1f} to {(n + 1) / 10:.1f}", 1 + (n == 9)] for n in range(1, 10)]


def test_the_biggest_groups_to_read(tmp_path: Path) -> None:
    documents = [Document(str(n), f"text {n}", f"http://a/{n}" if n else "") for n in range(7)]
    pq.write_table(to_table(documents[:3]), tmp_path / "0.parquet", row_group_size=2)
    pq.write_table(to_table(documents[3:]), tmp_path / "1.parquet")
    verdicts = Verdicts(7)
    verdicts.add("exact", np.array([0, 0, 2, 0, 0, 2, 6]))
    verdicts.add_one("alike", 6, 0.86, 2)
    files = [str(tmp_path / "0.parquet"), str(tmp_path / "1.parquet")]
    found = verdicts.clusters(files, np.array([0, 3, 7]), "alike")
    assert found["sizes"] == [["3", 1], ["4", 1]] and found["similarity"] == [["0.8 to 0.9", 1]]
    assert found["biggest"] == [
        {"documents": "4", "kept": "text 0", "copy 1": "http://a/1\ntext 1", "copy 2": "http://a/3\ntext 3"},
        {
            "documents": "3",
            "kept": "http://a/2\ntext 2",
            "copy 1": "http://a/5\ntext 5",
            "copy 2": "http://a/6\ntext 6",
        },
    ]
    assert Verdicts(2).clusters(files, np.array([0, 3, 7]), "alike") == {"sizes": [], "similarity": [], "biggest": []}

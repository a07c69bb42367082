import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, scratch_out
from hornbook.core.document import read_documents, to_table
from hornbook.core.errors import DataError
from hornbook.core.recipe import Machine
from hornbook.data.ledger import Ledger, num_bytes, read_funnel
from hornbook.data.passes import batches, passes
from hornbook.shards.workspace import Workspace

sys.path.insert(0, str(Path(__file__).parent))
from wordy import artifact, documents


def keep_some(work: Workspace, inputs: dict[str, str], common: int) -> dict[str, Any]:
    ledger = Ledger(work)
    sizes: list[int] = []
    for batch in batches(work, inputs["file"], 7):
        sizes.append(len(batch))
        for document in batch:
            if int(document.id[2:]) % common:
                ledger.drop(document, "test.odd", common, num_bytes(document.text))
            else:
                ledger.keep(document, num_bytes(document.text))
    return ledger.close() | {"sizes": sizes}


def test_every_document_is_booked(tmp_path: Path) -> None:
    rows = [document for document, _ in documents(60)]
    given = artifact(tmp_path / "in", rows, 3)
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    walk = passes(given, out, "test 1")
    found = walk.rewrite(keep_some, "test", 3)
    assert [summary["sizes"] for summary in found] == [[7, 7, 6]] * 3
    assert [document.id for document in read_documents(tmp_path / "out")] == [row.id for row in rows[::3]]
    funnel = read_funnel(tmp_path / "out")
    assert (funnel["in"], funnel["kept"], funnel["dropped"]) == (60, 20, {"test.odd": 40})
    assert out.counts["docs"] == 20
    assert walk.names == ["00000", "00001", "00002"]


def test_other_documents_are_not_taken_for_these(tmp_path: Path) -> None:
    """A restart on an artifact that was built again under the same name does not find its work done."""
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    given = artifact(tmp_path / "in", [document for document, _ in documents(9)], 1)
    (before,) = passes(given, out, "test 1").look(keep_some, "test", 2)
    pq.write_table(to_table(document for document, _ in documents(4)), tmp_path / "in/kept/00000.parquet")
    rebuilt = Artifact(given.path, replace(given.manifest, payload_hash="other"))
    (after,) = passes(rebuilt, out, "test 1").look(keep_some, "test", 2)
    assert (before["in"], after["in"]) == (9, 4)


def test_nothing_kept_is_an_error(tmp_path: Path) -> None:
    given = artifact(tmp_path / "in", [document for document, _ in documents(5, first=1)], 1)
    with pytest.raises(DataError, match="no document was kept out of 5"):
        passes(given, scratch_out(tmp_path / "out"), "").rewrite(keep_some, "test", 100)


def note_first(work: Workspace, inputs: dict[str, str], common: None) -> dict[str, Any]:
    (first, *_), *_ = batches(work, inputs["file"])
    work.output(f"{work.name}.txt").write_text(first.id)
    return {"in": 1}


def test_notes_of_several_artifacts_are_numbered_and_no_part_of_the_result(tmp_path: Path) -> None:
    rows = [document for document, _ in documents(12)]
    given = (artifact(tmp_path / "a", rows[:6], 2), artifact(tmp_path / "b", rows[6:], 1))
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    walk = passes(given, out, "test 1")
    assert walk.look(note_first, "notes") == [{"in": 1}] * 3
    assert walk.names == ["00000", "00001", "00002"]
    assert [(walk.folder / f"{name}.txt").read_text() for name in walk.names] == [rows[0].id, rows[3].id, rows[6].id]
    walk.rewrite(keep_some, "test", 1, job="of the notes")
    assert sorted(path.name for path in (tmp_path / "out/kept").iterdir()) == [f"{n}.parquet" for n in walk.names]
    assert [document.id for document in read_documents(tmp_path / "out")] == [row.id for row in rows]
    assert [shard.inputs["number"] for shard in walk.numbered()] == [0, 1, 2]

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
from hornbook.data.rewrite import batches, over_shards, rewrite, shards_of
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
    return {"in": ledger.num_in, "funnel": ledger.close(), "sizes": sizes}


def test_every_document_is_booked(tmp_path: Path) -> None:
    rows = [document for document, _ in documents(60)]
    given = artifact(tmp_path / "in", rows, 3)
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    found = rewrite(keep_some, given, out, label="test", common=3, job="test 1")
    assert [summary["sizes"] for summary in found] == [[7, 7, 6]] * 3
    assert [document.id for document in read_documents(tmp_path / "out")] == [row.id for row in rows[::3]]
    funnel = read_funnel(tmp_path / "out")
    assert (funnel["in"], funnel["kept"], funnel["dropped"]) == (60, 20, {"test.odd": 40})
    assert out.counts["docs"] == 20
    assert [shard.name for shard in shards_of(given)] == ["00000", "00001", "00002"]


def test_other_documents_are_not_taken_for_these(tmp_path: Path) -> None:
    """A restart on an artifact that was built again under the same name does not find its work done."""
    out = scratch_out(tmp_path / "out", machine=Machine(workers=1))
    given = artifact(tmp_path / "in", [document for document, _ in documents(9)], 1)
    (before,) = over_shards(keep_some, given, out, label="test", common=2, job="test 1")
    pq.write_table(to_table(document for document, _ in documents(4)), tmp_path / "in/kept/00000.parquet")
    rebuilt = Artifact(given.path, replace(given.manifest, payload_hash="other"))
    (after,) = over_shards(keep_some, rebuilt, out, label="test", common=2, job="test 1")
    assert (before["in"], after["in"]) == (9, 4)


def test_nothing_kept_is_an_error(tmp_path: Path) -> None:
    given = artifact(tmp_path / "in", [document for document, _ in documents(5, first=1)], 1)
    with pytest.raises(DataError, match="no document was kept out of 5"):
        rewrite(keep_some, given, scratch_out(tmp_path / "out"), label="test", common=100, job="")

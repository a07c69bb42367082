"""The texts to judge on."""

from pathlib import Path

import numpy as np
import pytest

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.recipe import Machine
from hornbook.evaluate.held_out import held_out, sample, text_documents
from hornbook.tokenizer import encode
from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.mark.parametrize(("count", "frac"), [(300, 0.05), (3, 1e-9), (2, 0.02), (1, 1e-9), (40, 0.0)])
def test_they_are_those_that_encoding_keeps_out(count: int, frac: float, tokenizer: Tokenizer, tmp_path: Path) -> None:
    import pyarrow.parquet

    made = [Document(f"id-{i}", "x" * (i + 1)) for i in range(count)]
    (tmp_path / "docs" / "kept").mkdir(parents=True)
    for part in range(2):
        pyarrow.parquet.write_table(to_table(made[part::2]), tmp_path / "docs" / "kept" / f"{part:05d}.parquet")
    documents = [*made[::2], *made[1::2]]
    inputs = {
        "documents": (Artifact(tmp_path / "docs", Manifest("documents")),),
        "tokenizer": Artifact(tokenizer.folder, Manifest("tokenizer")),
    }
    encode.run(encode.Settings(validation_frac=frac), inputs, scratch_out(tmp_path / "out", machine=Machine(workers=1)))
    kept_out = np.load(tmp_path / "out" / "validation.bytes.npy").tolist()
    assert [len(d.text) for d in held_out(documents, frac)] == kept_out


def test_pieces_of_a_text_file(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_bytes("\ufeff one\r\ntwo \n##\n\n##three".encode())
    assert [d.text for d in text_documents(file, "##")] == ["one\ntwo", "three"]
    assert [d.text for d in text_documents(file, "")] == ["one\ntwo \n##\n\n##three"]
    assert len({d.id for d in text_documents(file, "##")}) == 2


def test_a_sample_is_what_hashes_lowest_in_order() -> None:
    made = [Document(str(i), "x" * 10) for i in range(100)]
    assert sample(made, 10**6).documents == made
    few = sample([*made, Document("empty", "")], 200)
    assert few.num_docs == 100
    lowest = sorted(made, key=lambda d: encode.place_of(d.id))[:20]
    assert few.documents == [d for d in made if d in lowest]
    assert sample(made, 5).documents == lowest[:1]

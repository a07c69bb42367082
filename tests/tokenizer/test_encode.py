"""Token shards: counts, offsets and raw bytes by hand; the same bytes whatever the workers and interruptions."""

import itertools
import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.errors import DataError
from hornbook.core.recipe import Machine
from hornbook.tokenizer import encode
from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.fixture
def inputs(tmp_path: Path, folder: Path, texts: ModuleType) -> dict[str, Any]:
    """Two documents artifacts, three shards in all."""
    first = texts.mixed(20_000, seed=8)
    return {
        "documents": (
            _documents(tmp_path / "a", "a", [first[::2], first[1::2]]),
            _documents(tmp_path / "b", "b", [["", "é🙂", "<|eos|>"]]),
        ),
        "tokenizer": Artifact(folder, Manifest("tokenizer", payload_hash="t")),
    }


def test_every_document_is_where_the_offsets_say(inputs: dict[str, Any], tmp_path: Path, tokenizer: Tokenizer) -> None:
    out = _run(tmp_path / "out", inputs, 0.25)
    facts = json.loads((out / "tokens.json").read_text())
    assert (facts["dtype"], facts["vocab_size"], facts["bos_id"], facts["eos_id"]) == ("uint16", 700, 1, 2)
    written: list[str] = []
    for part in encode.PARTS:
        ids = np.fromfile(out / f"{part}.bin", dtype="<u2")
        offsets, num_bytes = np.load(out / f"{part}.offsets.npy"), np.load(out / f"{part}.bytes.npy")
        assert offsets.dtype == num_bytes.dtype == np.int64
        assert offsets[0] == 0 and offsets[-1] == len(ids) == facts[part]["tokens"]
        assert len(offsets) - 1 == len(num_bytes) == facts[part]["docs"]
        assert num_bytes.sum() == facts[part]["bytes"]
        for start, end, size in zip(offsets[:-1], offsets[1:], num_bytes, strict=True):
            document = ids[start:end].tolist()
            assert document[0] == 1 and document[-1] == 2
            assert not any(tokenizer.is_special(i) for i in document[1:-1])
            text = tokenizer.decode(document)
            assert len(text.encode()) == size
            written.append(text)
    given = [text for artifact in inputs["documents"] for shard in _shards(artifact) for text in shard]
    assert sorted(written) == sorted(given)
    assert 0.1 < facts["validation"]["docs"] / len(given) < 0.4
    assert Tokenizer.load(out / "tokenizer").encode("hello") == tokenizer.encode("hello")


def test_order_is_the_documents_order(inputs: dict[str, Any], tmp_path: Path, tokenizer: Tokenizer) -> None:
    out = _run(tmp_path / "out", inputs, 0.0)
    ids, offsets = np.fromfile(out / "train.bin", dtype="<u2"), np.load(out / "train.offsets.npy")
    written = [tokenizer.decode(ids[s:e].tolist()) for s, e in itertools.pairwise(offsets)]
    assert written == [text for artifact in inputs["documents"] for shard in _shards(artifact) for text in shard]
    assert np.load(out / "validation.offsets.npy").tolist() == [0]


def test_a_document_stays_on_its_side_whatever_else_there_is(inputs: dict[str, Any], tmp_path: Path) -> None:
    both = _run(tmp_path / "both", inputs, 0.25)
    alone = _run(tmp_path / "alone", inputs | {"documents": inputs["documents"][:1]}, 0.25)
    kept = np.load(alone / "validation.bytes.npy").tolist()
    assert np.load(both / "validation.bytes.npy").tolist()[: len(kept)] == kept


def test_workers_and_interruptions_change_nothing(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = payload_hash(_run(tmp_path / "plain", inputs, 0.1))
    assert payload_hash(_run(tmp_path / "three", inputs, 0.1, workers=3)) == plain

    real, calls = encode.encode_shard, []

    def failing(work: Any, *rest: Any) -> Any:
        calls.append(work.name)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(work, *rest)

    monkeypatch.setattr(encode, "encode_shard", failing)
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", inputs, 0.1, keep=True)
    assert not (tmp_path / "cut" / "tokens.json").exists()
    assert payload_hash(_run(tmp_path / "cut", inputs, 0.1)) == plain
    assert len(calls) == 4, "the two finished shards are not done again"


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_error_names_the_documents_it_happened_among(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: Tokenizer, texts: list[str]) -> list[list[int]]:
        raise ValueError("no such word")

    monkeypatch.setattr(Tokenizer, "encode_batch", failing)
    documents = (_documents(tmp_path / "c", "c", [["one", "two", "three"]]),)
    tokenizer = Artifact(folder, Manifest("tokenizer", payload_hash="t"))
    with pytest.raises(DataError, match="no such word.*00-00000, record c-0-0 to c-0-2"):
        _run(tmp_path / "out", {"documents": documents, "tokenizer": tokenizer}, 0.1)


@pytest.mark.parametrize("num_docs", [2, 3, 20])
def test_few_documents_still_have_one_for_validation(
    num_docs: int, tmp_path: Path, folder: Path, tokenizer: Tokenizer
) -> None:
    texts = [f"text number {i}" for i in range(num_docs)]
    inputs = {
        "documents": (_documents(tmp_path / "a", "a", [texts[: num_docs // 2], texts[num_docs // 2 :]]),),
        "tokenizer": Artifact(folder, Manifest("tokenizer")),
    }
    out = _run(tmp_path / "out", inputs, 1e-9)
    found: list[str] = []
    for part, count in (("train", num_docs - 1), ("validation", 1)):
        ids, offsets = np.fromfile(out / f"{part}.bin", dtype="<u2"), np.load(out / f"{part}.offsets.npy")
        assert len(offsets) - 1 == count
        found += [tokenizer.decode(ids[s:e].tolist()) for s, e in itertools.pairwise(offsets)]
    assert sorted(found) == sorted(texts)


def test_nothing_to_train_on(tmp_path: Path, folder: Path) -> None:
    inputs = {
        "documents": (_documents(tmp_path / "a", "a", [[]]),),
        "tokenizer": Artifact(folder, Manifest("tokenizer")),
    }
    with pytest.raises(DataError, match="no document is left"):
        _run(tmp_path / "out", inputs, 0.1)


def test_large_vocabularies_take_four_bytes(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert encode.dtype_of(tokenizer) == np.dtype("<u2")
    monkeypatch.setattr(tokenizer, "vocab_size", 65_536)
    assert encode.dtype_of(tokenizer) == np.dtype("<u4")


def test_description(inputs: dict[str, Any], tmp_path: Path) -> None:
    table, samples = encode.describe(Artifact(_run(tmp_path / "out", inputs, 0.1), Manifest("tokens")))
    assert [row[0] for row in table.rows] == ["train", "validation"]  # type: ignore[union-attr]
    assert samples.items[0]["begins"].startswith("<|bos|>|")  # type: ignore[union-attr]


def _run(folder: Path, inputs: dict[str, Any], frac: float, workers: int = 1, keep: bool = False) -> Path:
    out = scratch_out(folder, machine=Machine(workers=workers))
    encode.run(encode.Settings(validation_frac=frac), inputs, out)
    if not keep:
        shutil.rmtree(out.resume)
    return out.path


def _documents(folder: Path, name: str, shards: list[list[str]]) -> Artifact:
    import pyarrow.parquet

    (folder / "kept").mkdir(parents=True)
    for number, texts in enumerate(shards):
        made = [Document(f"{name}-{number}-{i}", text) for i, text in enumerate(texts)]
        pyarrow.parquet.write_table(to_table(made), folder / "kept" / f"{number:05d}.parquet")
    counts = {"docs": sum(map(len, shards))}
    return Artifact(folder, Manifest("documents", counts=counts, payload_hash=name))


def _shards(artifact: Artifact) -> list[list[str]]:
    import pyarrow.parquet

    files = sorted((artifact.path / "kept").glob("*.parquet"))
    return [pyarrow.parquet.read_table(file).column("text").to_pylist() for file in files]

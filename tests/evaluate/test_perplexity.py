"""Bits per byte by hand: known probabilities, raw bytes, the end apart, windows, and restarts."""

import json
import math
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, to_table
from hornbook.core.errors import DataError, SettingsError
from hornbook.evaluate import perplexity
from hornbook.evaluate.perplexity import Encoded, document_costs, windows
from hornbook.evaluate.results import read_samples, read_scores
from hornbook.report.blocks import Samples, Scores
from hornbook.tokenizer.tokenizer import Tokenizer

EOS = 2


def cost(before: Sequence[int], token: int) -> float:
    """In bits: 7 for the end, 3 after BOS, else 2."""
    return 7.0 if token == EOS else 3.0 if before[-1] == 1 else 2.0


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(2, 20), st.integers(1, 20))
def test_windows_count_every_id_once(num_ids: int, context: int, stride: int) -> None:
    found = windows(num_ids, context, stride)
    counted = [place for w in found for place in range(w.new, w.end)]
    assert counted == list(range(1, num_ids))
    assert all(w.end - w.start <= context and w.start < w.new for w in found)
    assert all(w.end - w.start == context and w.end - w.new <= stride for w in found[1:])


def test_costs_by_hand(tokenizer: Tokenizer, fake: ModuleType) -> None:
    documents = [Document("a", "xyz"), Document("b", "é")]
    costs = document_costs(fake.FakeModel(tokenizer, cost), Encoded(tokenizer, documents), [0, 1], 64, 32)
    assert [(c.id, c.num_bytes, c.num_tokens) for c in costs] == [("a", 3, 3), ("b", 2, 2)]
    assert [c.nats / math.log(2) for c in costs] == pytest.approx([3 + 2 + 2, 3 + 2], abs=1e-6)
    assert [c.end_nats / math.log(2) for c in costs] == pytest.approx([7, 7], abs=1e-6)


def test_long_documents_are_read_in_windows(tokenizer: Tokenizer, fake: ModuleType) -> None:
    """With a cost that depends on how much stands before, the windows can be told from the sum."""
    model = fake.FakeModel(tokenizer, lambda before, token: float(len(before)), context_tokens=4)
    (measured,) = document_costs(model, Encoded(tokenizer, [Document("a", "abcdefg")]), [0], 4, 2)
    # 9 ids in windows 0-4, 2-6, 4-8, 5-9: places 1 2 3 | 4 5 | 6 7 | 8 have 1 2 3 | 2 3 | 2 3 | 3 ids before them
    assert measured.nats / math.log(2) == pytest.approx(1 + 2 + 3 + 2 + 3 + 2 + 3, abs=1e-6)
    assert measured.end_nats / math.log(2) == pytest.approx(3, abs=1e-6)
    assert [ids[0] == 1 for ids in model.scored] == [True, False, False, False]


def test_a_document_costs_the_same_with_others_beside_it(tokenizer: Tokenizer, fake: ModuleType) -> None:
    documents = [Document(str(i), "word " * i + "!") for i in range(12)]
    encoded = Encoded(tokenizer, documents)
    model = fake.FakeModel(tokenizer, lambda before, token: 0.1 * len(before) + token / 100, context_tokens=16)
    together = document_costs(model, encoded, range(12), 16, 8)
    assert together == [document_costs(model, encoded, [i], 16, 8)[0] for i in range(12)]


@pytest.fixture
def stage(tokenizer: Tokenizer, fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the stage with the fake model."""
    model = fake.FakeModel(tokenizer, cost, context_tokens=16)
    monkeypatch.setattr(perplexity, "open_model", lambda *a, **k: model)

    def run(folder: Path, inputs: dict[str, Any] | None = None, **settings: Any) -> Path:
        checkpoint = Artifact(folder, Manifest("checkpoint"))
        out = scratch_out(folder, seed=3)
        perplexity.run(perplexity.Settings(**settings), {"model": checkpoint} | (inputs or {}), out)
        return out.path

    run.model = model  # type: ignore[attr-defined]
    return run


def test_the_stage_on_a_text_file(stage: Any, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes("abc\r\nd\n<|endoftext|>\n\n<|endoftext|>\n é日 \n".encode())
    out = stage(tmp_path / "out", path=str(tmp_path / "t.txt"))
    by_name = {score["name"]: score for score in read_scores(out)["scores"]}
    bits = [3 + 2 * 4, 3 + 2 * 4]  # "abc\nd" and "é日", 5 bytes each
    assert by_name["bits_per_byte"]["value"] == pytest.approx(sum(bits) / 10, abs=1e-6)
    assert by_name["bits_per_byte_with_end"]["value"] == pytest.approx((sum(bits) + 14) / 10, abs=1e-6)
    assert by_name["nats_per_token"]["value"] == pytest.approx(sum(bits) * math.log(2) / 10, abs=1e-6)
    assert by_name["bits_per_byte"]["num_cases"] == 2
    assert by_name["bits_per_byte"]["low"] == by_name["bits_per_byte"]["high"] == pytest.approx(2.2, abs=1e-6)
    assert by_name["bits_per_byte"]["baseline"] == pytest.approx(math.log2(10), abs=1e-6)  # ten different bytes
    for word in ("BOS first", "raw UTF-8 bytes", "fp32", "windows of 16 tokens", "last 8", "left out"):
        assert word in by_name["bits_per_byte"]["protocol"]
    assert [r["bytes"] for r in read_samples(out)] == [5, 5]


def test_windows_are_as_long_as_what_was_trained_on(stage: Any, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a" * 100)
    trained = {"model": Artifact(tmp_path, Manifest("checkpoint", settings={"row_tokens": 12}))}
    for inputs, chosen, longest in (
        ({}, {}, 16),
        (trained, {}, 12),
        (trained, {"context_tokens": 14}, 14),
        ({}, {"context_tokens": 99}, 16),
    ):
        stage.model.scored.clear()
        stage(tmp_path / str(longest), inputs, path=str(tmp_path / "t.txt"), **chosen)
        shutil.rmtree(tmp_path / str(longest))
        assert max(map(len, stage.model.scored)) == longest


def test_the_interval_is_over_documents(tokenizer: Tokenizer) -> None:
    costs = [perplexity.DocumentCost(str(i), 10, 5, math.log(2) * (10 + 10 * (i % 2)), 0.0) for i in range(400)]
    found = perplexity.scores(costs, Counter({1: 1}), Counter({1: 1}), "", 0)[0]
    half = 1.96 * 0.5 / math.sqrt(400)
    assert found.value == pytest.approx(1.5)
    assert (found.low, found.high) == pytest.approx((1.5 - half, 1.5 + half), abs=0.01)


def test_documents_kept_out_of_training_only(stage: Any, tmp_path: Path) -> None:
    from hornbook.tokenizer.encode import is_validation

    artifact = documents(tmp_path / "docs", 200)
    out = stage(tmp_path / "out", {"documents": (artifact,)}, validation_frac=0.1)
    ids = [record["id"] for record in read_samples(out)]
    assert ids == [f"d{i}" for i in range(200) if is_validation(f"d{i}", 0.1)]
    assert 8 <= len(ids) <= 35
    assert "kept out of training (validation_frac 0.1)" in read_scores(out)["scores"][0]["protocol"]
    everything = stage(tmp_path / "all", {"documents": (artifact,)}, part="all")
    assert len(list(read_samples(everything))) == 200


def test_a_sample_when_there_is_too_much(stage: Any, tmp_path: Path) -> None:
    artifact = documents(tmp_path / "docs", 200)
    out = stage(tmp_path / "out", {"documents": (artifact,)}, part="all", max_bytes=300)
    records = list(read_samples(out))
    assert 250 <= sum(r["bytes"] for r in records) <= 300
    assert f"{len(records)} of 200 chosen by hash" in read_scores(out)["scores"][0]["protocol"]
    assert [r["id"] for r in records] == sorted((r["id"] for r in records), key=lambda i: int(i[1:]))


def test_a_restart_measures_only_what_is_missing(
    stage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: ModuleType
) -> None:
    monkeypatch.setattr(perplexity, "GROUP_TOKENS", 300)
    artifact = documents(tmp_path / "docs", 100)
    whole = stage(tmp_path / "whole", {"documents": (artifact,)}, part="all")
    model, real, calls = stage.model, fake.FakeModel.score, []

    def failing(self: Any, ids: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(self, ids)

    monkeypatch.setattr(fake.FakeModel, "score", failing)
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "cut", {"documents": (artifact,)}, part="all")
    assert not (tmp_path / "cut" / "scores.json").exists()
    monkeypatch.setattr(fake.FakeModel, "score", real)
    model.scored.clear()
    cut = stage(tmp_path / "cut", {"documents": (artifact,)}, part="all")
    assert 0 < len(model.scored) < 100
    for name in ("scores.json", "samples.jsonl"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()


def test_mistakes_get_a_sentence(stage: Any, tmp_path: Path) -> None:
    artifact = documents(tmp_path / "docs", 3)
    with pytest.raises(SettingsError, match="missing or given twice"):
        stage(tmp_path / "a")
    with pytest.raises(SettingsError, match="missing or given twice"):
        stage(tmp_path / "a", {"documents": (artifact,)}, path=str(tmp_path))
    with pytest.raises(DataError, match="folder"):
        stage(tmp_path / "a", path=str(tmp_path))
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(DataError, match="no text to measure on"):
        stage(tmp_path / "a", path=str(tmp_path / "empty.txt"))
    (tmp_path / "bytes.txt").write_bytes(b"ab\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8 text"):
        stage(tmp_path / "a", path=str(tmp_path / "bytes.txt"))
    assert not (tmp_path / "a" / "scores.json").exists()


def test_description(stage: Any, tmp_path: Path) -> None:
    out = stage(tmp_path / "out", {"documents": (documents(tmp_path / "docs", 20),)}, part="all")
    table, texts = perplexity.describe(Artifact(out, Manifest("scores")))
    assert isinstance(table, Scores) and len(table.rows) == 3
    assert not table.rows[0].higher_is_better and table.rows[0].unit == "bits per byte"
    assert isinstance(texts, Samples) and len(texts.items) == 6
    assert json.dumps(texts.items)


def documents(folder: Path, count: int) -> Artifact:
    """A documents artifact of short texts."""
    import pyarrow.parquet

    (folder / "kept").mkdir(parents=True)
    made = [Document(f"d{i}", f"text {i} " + "x" * (i % 7)) for i in range(count)]
    pyarrow.parquet.write_table(to_table(made), folder / "kept" / "00000.parquet")
    return Artifact(folder, Manifest("documents"))

"""The model against the program that it comes from."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier, visit_counts

from hornbook.data.language import byte_model as module
from hornbook.data.language.byte_model import ByteModel, byte_model

WORDS = (
    "the old lighthouse Wärter zählte каждый вечер 古い灯台 كان حارس बूढ़ा रक्षक \n ЛОДКИ ĳ é e\u0301 Ångström \U0001f43b"
).split(" ")


@pytest.fixture(scope="module")
def program() -> Any:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)))
@example("")
@example("DER ALTE WÄRTER ZÄHLTE")
def test_the_n_grams_are_those_of_the_program(program: Any, text: str) -> None:
    model = byte_model()
    data = program._encode(text)
    found, counts = model._counted(model._found(data))
    visits = visit_counts(program.tk_nextmove, program._rowbase, program.tk_output, data) or {}
    assert list(visits.items()) == list(zip(found.tolist(), counts.tolist(), strict=True))


@settings(max_examples=100)
@given(st.binary(max_size=40))
def test_any_bytes_lead_to_the_same_states(program: Any, data: bytes) -> None:
    visits = visit_counts(program.tk_nextmove, program._rowbase, program.tk_output, data) or {}
    assert Counter(byte_model()._found(data).tolist()) == visits


def test_the_longest_n_grams_are_found(program: Any) -> None:
    """They are rare: of each state farthest from the first one, the bytes that lead there."""
    model = byte_model()
    border, ways, seen = np.array([0]), np.zeros((1, 0), np.uint8), np.zeros(len(model.rows), np.bool_)
    for _ in range(model.depth):
        seen[border] = True
        reached = model.moves[model.rows[border][:, None] + np.arange(256)].reshape(-1)
        states, places = np.unique(reached, return_index=True)
        new = ~seen[states]
        border, places = states[new], places[new]
        ways = np.column_stack((ways[places // 256], (places % 256).astype(np.uint8)))
    ends = np.flatnonzero(model.features[border] >= 0)
    assert len(ends)
    for end in ends[:200].tolist():
        data = ways[end].tobytes()
        visits = visit_counts(program.tk_nextmove, program._rowbase, program.tk_output, data) or {}
        assert int(model.features[border[end]]) in visits
        assert Counter(model._found(data).tolist()) == visits


@pytest.mark.parametrize("text", ["", "x", " ".join(WORDS), *WORDS, "The old lighthouse keeper counted the boats."])
def test_the_answer_is_the_programs_to_the_bit(program: Any, text: str) -> None:
    single = LanguageIdentifier.classify(program, text)  # its table in half precision: sums differ in the last bits
    language, confidence = byte_model().classify(text)
    assert language == single[0] and confidence == pytest.approx(single[1], abs=2e-3)
    program.nb_ptc = np.asarray(program.nb_ptc, np.float32)
    assert byte_model().classify(text) == program.classify(text)


def test_arrays_are_unpacked_once_and_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {name: np.arange(3, dtype=np.uint32) for name in module.ARRAYS}
    small |= {"languages": np.array(["en", "sr", "sr"]), "depth": np.array(6)}
    calls: list[Path] = []

    def unpacked(packed: Path) -> dict[str, np.ndarray]:
        calls.append(packed)
        return small

    monkeypatch.setattr(module, "_unpacked", unpacked)
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "cache"))
    made = [byte_model.__wrapped__() for _ in range(2)]
    assert len(calls) == 1 and all(model.twins == [(1, 2)] and model.depth == 6 for model in made)
    [folder] = (tmp_path / "cache").iterdir()
    assert not made[0].moves.flags.writeable and made[0].moves.tolist() == [0, 1, 2]
    (folder / "table.npy").write_bytes(b"cut")
    for _ in range(2):
        assert byte_model.__wrapped__().table.tolist() == [0, 1, 2] and len(calls) == 2  # unpacked again, once
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HORNBOOK_CACHE", str(tmp_path / "file"))
    assert isinstance(byte_model.__wrapped__(), ByteModel) and len(calls) == 3  # nowhere to keep them


def test_the_longest_n_gram() -> None:
    moves = np.zeros((3, 256), np.uint32)
    moves[0, 97], moves[1, 98], moves[2, 99], moves[:, 97] = 1, 2, 0, 1  # "a", "ab"
    assert module._depth(moves, np.array([0, 1, 2])) == 2

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.core.document import Document, Drop, Keep, to_table
from hornbook.core.errors import ArtifactError, DataError
from hornbook.data.filters import perplexity
from hornbook.data.filters.perplexity import Loaded, Settings, decide, load
from hornbook.data.language.ngrams import CharacterModel

TEXTS = [f"The hen number {i} ran home, and the fox number {i} ran after the hen." for i in range(40)]


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return Loaded(CharacterModel(TEXTS), (1.0, 2.0))


def verdict(text: str, loaded: Loaded, **settings: object) -> object:
    return decide(Document("1", text), Settings(reference="x", **settings), loaded)  # type: ignore[arg-type]


def test_both_sides_of_every_threshold(loaded: Loaded) -> None:
    text = "The hen had a boat and the fox had none."
    value = round(2 ** loaded.model.bits_per_character(text), 3)
    assert value > 2
    noted = {"perplexity": value, "perplexity_part": "tail"}
    assert verdict(text, loaded) == Keep(noted)
    assert verdict(text, loaded, max_perplexity=value) == Keep(noted)
    assert verdict(text, loaded, max_perplexity=value - 0.001) == Drop("perplexity.too_high", value, noted)
    assert verdict(text, loaded, min_perplexity=value) == Keep(noted)
    assert verdict(text, loaded, min_perplexity=value + 0.001) == Drop("perplexity.too_low", value, noted)


def test_head_middle_and_tail(loaded: Loaded) -> None:
    text = TEXTS[3]
    value = round(2 ** loaded.model.bits_per_character(text), 3)
    for cuts, part in (((value, 9.0), "head"), ((value - 0.001, value), "middle"), ((0.1, value - 0.001), "tail")):
        kept = verdict(text, Loaded(loaded.model, cuts))
        assert kept == Keep({"perplexity": value, "perplexity_part": part})
        dropped = verdict(text, Loaded(loaded.model, cuts), parts=tuple({"head", "middle", "tail"} - {part}))
        assert dropped == Drop("perplexity.part", part, {"perplexity": value, "perplexity_part": part})


def test_only_the_beginning_is_judged(loaded: Loaded) -> None:
    assert verdict(TEXTS[0] + "zqx" * 99, loaded, head_chars=len(TEXTS[0])) == verdict(TEXTS[0], loaded)


def test_references_are_artifacts_json_lines_or_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    (tmp_path / "a.txt").write_text("\n\n".join(TEXTS))
    (tmp_path / "artifact/kept").mkdir(parents=True)
    pq.write_table(to_table(Document(str(i), t) for i, t in enumerate(TEXTS)), tmp_path / "artifact/kept/0.parquet")
    found = [load(Settings(reference=str(tmp_path / name))) for name in ("a.jsonl", "a.txt", "artifact")]
    assert found[0].cuts == found[1].cuts == found[2].cuts and found[0].cuts[0] < found[0].cuts[1]
    assert len({one.model.bits_per_character("The hen") for one in found}) == 1
    held = load(Settings(reference=str(tmp_path / "a.txt"), calibration=str(tmp_path / "a.txt")))
    assert held.model.bits_per_character(TEXTS[0]) < found[1].model.bits_per_character(TEXTS[0])  # it saw each tenth
    short = load(Settings(reference=str(tmp_path / "a.txt"), reference_chars=200))
    assert short.model.counts[0].sum() == 3 * len(TEXTS[1])  # the first of four is held out


def test_references_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("Only one text.")
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"words": "b"}\n')
    with pytest.raises(DataError, match="fewer than two texts"):
        load(Settings(reference=str(tmp_path / "one.txt")))
    with pytest.raises(DataError, match="line 2"):
        load(Settings(reference=str(tmp_path / "bad.jsonl")))
    with pytest.raises(ArtifactError):
        load(Settings(reference=str(tmp_path / "none.txt")))


def test_no_more_of_a_reference_is_read_than_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perplexity, "BLOCK_CHARS", 7)  # texts and empty lines lie across the borders of blocks
    whole = "\n\n".join(TEXTS) + "\n\n\n" + "x" * 500
    (tmp_path / "a.txt").write_text(whole)
    assert list(perplexity._parted(tmp_path / "a.txt", 10_000)) == whole.split("\n\n")
    (tmp_path / "long.txt").write_bytes(
        b"A text without an empty line. " * 2000 + b"\xff"
    )  # to its end it cannot be read
    assert list(perplexity._parted(tmp_path / "long.txt", 50)) == [("A text without an empty line. " * 2)[:50]]


def test_a_reference_in_another_encoding_is_named(tmp_path: Path) -> None:
    for name in ("a.txt", "a.jsonl"):
        (tmp_path / name).write_bytes("é".encode("latin-1") * 9)
        with pytest.raises(DataError, match="not UTF-8") as caught:
            load(Settings(reference=str(tmp_path / name)))
        assert caught.value.where == str(tmp_path / name)

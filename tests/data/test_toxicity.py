import csv
import json
import random
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.data import toxicity as stage
from hornbook.data.learned.classifier import Classifier, load
from hornbook.report.blocks import Samples, Table

sys.path.insert(0, str(Path(__file__).parent))
from wordy import SHARED, artifact, digest, do, dropped, restarted, world

VILE = [f"vile{i}" for i in range(12)]
SMALL = {"bits": 14}


def sentence(vile: bool, seed: int) -> str:
    rng = random.Random(seed)
    words = [rng.choice(SHARED) for _ in range(10)]
    if vile:
        words[3:3] = rng.sample(VILE, 3)
    elif rng.random() < 0.05:
        words[3:3] = rng.sample(VILE, 1)
    return " ".join(words).capitalize() + "."


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("examples") / "labelled.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["comment", "verdict"])
        writer.writerows([sentence(i % 2 == 0, i), "rude" if i % 2 == 0 else "ok"] for i in range(800))
    return str(file)


def given(folder: Path) -> Artifact:
    """60 documents: fine, with one vile line of eleven, mostly vile, and one in a single long line."""
    rows: list[Document] = []
    for number in range(60):
        lines = [sentence(False, 5000 + 20 * number + i) for i in range(10)]
        lines = [line for line in lines if "vile" not in line]
        if number % 3 == 1:
            lines.insert(4, sentence(True, 9000 + number))
        elif number % 3 == 2:
            lines = [sentence(True, 7000 + 20 * number + i) for i in range(6)] + lines[:2]
        text = " ".join(lines) if number % 6 == 1 else "\n".join(lines)
        rows.append(Document(f"d{number}", text, meta={"kind": ("fine", "one", "many")[number % 3]}))
    return artifact(folder, rows)


def learn(folder: Path, examples: str, **settings: object) -> Artifact:
    labels = {"examples": examples, "text_field": "comment", "label_field": "verdict", "toxic": ["rude"], **SMALL} | {
        "expected_frac": 0.3
    }
    return do(stage, folder / "out", {"documents": given(folder / "in")}, **(labels | settings))


def test_spans_are_scored_and_nothing_is_touched(tmp_path: Path, examples: str) -> None:
    out = learn(tmp_path, examples)
    before = {document.id: document.text for document in read_documents(tmp_path / "in")}
    found = list(read_documents(out.path))
    assert {document.id: document.text for document in found} == before
    for document in found:
        kind, worst, share = (document.meta[name] for name in ("kind", "toxicity", "toxicity_frac"))
        if kind == "fine":
            assert worst < 0.5 and share == 0
        else:
            assert worst >= 0.5 and (0.05 < share < 0.2 if kind == "one" else 0.6 < share < 0.9)
    held_out = load(out.path / stage.FILE).about["held_out"]
    assert held_out["roc"]["toxic"]["auc"][0] > 0.97
    tally = json.loads((out.path / "toxicity.json").read_text())
    assert tally["documents"]["0.5"] == 40 and tally["documents"]["all"] == 60
    assert tally["spans"]["0.1"] >= tally["spans"]["0.5"] >= tally["spans"]["0.99"]
    spans = 20 + 20 * 6
    assert tally["spans"]["0.5"] == spans


def test_cutting(tmp_path: Path, examples: str) -> None:
    out = learn(tmp_path, examples, policy="cut")
    before = {document.id: document.text for document in read_documents(tmp_path / "in")}
    kept = {document.id: document for document in read_documents(out.path)}
    assert {d.meta["kind"] for d in kept.values()} == {"fine", "one"} and len(kept) == 40
    for identity, document in kept.items():
        assert "vile" not in document.text
        if document.meta["kind"] == "fine":
            assert document.text == before[identity]
        else:  # the vile sentence is gone and not a word more
            gone = set(before[identity].replace("\n", " ").split(". ")) - set(
                document.text.replace("\n", " ").split(". ")
            )
            assert all("vile" in part for part in gone) and len(before[identity]) - len(document.text) < 150
    assert [row["rule"] for row in dropped(out.path)] == ["toxicity.document"] * 20
    assert all(float(row["value"]) == row["toxicity_frac"] > 0.6 for row in dropped(out.path))
    assert json.loads((out.path / "funnel.json").read_text())["edited"] == {"toxicity.span": 20}


def test_outputs_change_only_with_the_version(tmp_path: Path, examples: str) -> None:
    assert (stage.VERSION, digest(learn(tmp_path, examples, policy="cut").path)) == (2, "8b86b2478f8dc7c2")


def test_dropping_leaves_texts_as_they_are(tmp_path: Path, examples: str) -> None:
    out = learn(tmp_path, examples, policy="drop", max_toxic_frac=0.0)
    assert {document.meta["kind"] for document in read_documents(out.path)} == {"fine"}
    assert len(dropped(out.path)) == 40


def test_a_word_list_comes_first(tmp_path: Path, examples: str) -> None:
    (tmp_path / "words.txt").write_text("\n".join(VILE[:6]))
    out = learn(tmp_path, examples, word_list=str(tmp_path / "words.txt"), policy="cut", max_toxic_frac=1.0)
    texts = [document.text for document in read_documents(out.path)]
    left = [line for text in texts for line in text.replace(". ", ".\n").split("\n") if "vile" in line]
    listed = set(VILE[:6])
    assert left and not any(listed & set(line.lower().strip(".").split()) for line in left)


def test_lines_that_fine_pages_have_too_are_not_toxic(tmp_path: Path) -> None:
    """Labels of whole pages (as in the generated world): the advertisement on all of them stays fine."""
    rows = []
    for number in range(300):
        lines = [sentence(number % 4 == 0, 3000 + 9 * number + i) for i in range(4)]
        lines = lines if number % 4 == 0 else [line for line in lines if "vile" not in line]
        rows.append(Document(f"d{number}", "\n".join([*lines, "Your neighbours already have this kettle."])))
    (tmp_path / "pages/truth").mkdir(parents=True)
    truth = [{"id": f"d{number}", "rude": number % 4 == 0} for number in range(300)]
    pq.write_table(pa.Table.from_pylist(truth), tmp_path / "pages/truth/0.parquet")
    pages = Artifact(tmp_path / "pages", Manifest("pages"))
    out = do(stage, tmp_path / "out", {"documents": artifact(tmp_path / "in", rows), "pages": pages}, **SMALL)
    found = {document.id: document.meta["toxicity"] >= 0.5 for document in read_documents(out.path)}
    assert found == {row["id"]: row["rude"] for row in truth}


def test_a_rare_thing_is_expected_to_be_rare(tmp_path: Path, examples: str) -> None:
    numbers = []
    for share in (0.5, 0.001):
        out = learn(tmp_path / str(share), examples, expected_frac=share)
        numbers.append(json.loads((out.path / "toxicity.json").read_text())["spans"]["0.9"])
    assert numbers[0] > numbers[1]


def test_transfer_and_what_a_reader_sees(tmp_path: Path, examples: str) -> None:
    out = learn(tmp_path, examples, transfer=examples)
    titles = {block.title: block for block in stage.describe(out)}
    flagged = titles["What each threshold flags in these documents"]
    assert isinstance(flagged, Table) and flagged.rows[2][3] == 40
    assert isinstance(titles["Thresholds on labelled.csv"], Table)
    spans = titles["Spans with a probability from 0.99 up"]
    assert isinstance(spans, Samples) and all("vile" in item["text"] for item in spans.items)


def test_workers_change_nothing(tmp_path: Path, examples: str) -> None:
    model = str(learn(tmp_path / "first", examples).path / stage.FILE)
    documents = given(tmp_path / "in")
    outs = [
        do(stage, tmp_path / f"{n}", {"documents": documents}, n, model=model, policy="cut", **SMALL) for n in (1, 2)
    ]
    assert payload_hash(outs[0].path) == payload_hash(outs[1].path)


def test_rude_pages_of_the_world(tmp_path: Path) -> None:
    pages, documents, truth = world(tmp_path)
    out = do(stage, tmp_path / "out", {"documents": documents, "pages": pages}, policy="drop")
    rude = {name for name, row in truth.items() if row["rude"]}
    assert len(rude) > 10 and {row["id"] for row in dropped(out.path)} == rude & set(truth)


def test_mistakes(tmp_path: Path, examples: str) -> None:
    documents = given(tmp_path / "in")
    with pytest.raises(SettingsError, match="given in 0 ways"):
        do(stage, tmp_path / "a", {"documents": documents})
    with pytest.raises(SettingsError, match="given in 2 ways"):
        do(stage, tmp_path / "b", {"documents": documents}, examples=examples, model=examples)


def test_a_second_start_writes_the_same(tmp_path: Path, examples: str, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = learn(tmp_path, examples, policy="cut")
    model, inputs = str(straight.path / stage.FILE), {"documents": given(tmp_path / "again")}
    wanted = do(stage, tmp_path / "wanted", inputs, model=model, policy="cut")
    found = restarted(monkeypatch, stage, tmp_path / "found", inputs, model=model, policy="cut")
    assert payload_hash(found.path) == payload_hash(wanted.path)


def test_examples_from_elsewhere_need_both_classes_before_the_pass(tmp_path: Path, examples: str) -> None:
    """Labels are called otherwise there."""
    rows = Path(examples).read_text().replace(",rude", ",offensive")
    (tmp_path / "other.csv").write_text(rows)
    with pytest.raises(DataError, match="none of these examples is toxic"):
        learn(tmp_path, examples, transfer=str(tmp_path / "other.csv"))
    assert not (tmp_path / "out/kept").exists()


def test_only_spans_with_a_listed_word_are_classified(
    tmp_path: Path, examples: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = str(learn(tmp_path, examples).path / stage.FILE)
    (tmp_path / "words.txt").write_bytes(b"\xef\xbb\xbf" + "\n".join(VILE).encode())
    seen: list[str] = []
    probabilities = Classifier.probabilities
    noted = lambda one, texts: seen.extend(texts) or probabilities(one, texts)  # noqa: E731
    monkeypatch.setattr(Classifier, "probabilities", noted)
    inputs = {"documents": given(tmp_path / "again")}
    out = do(stage, tmp_path / "listed", inputs, model=model, word_list=str(tmp_path / "words.txt"))
    assert len(seen) == 140 and all("vile" in text.lower() for text in seen)
    found = {document.id: document.meta["toxicity"] for document in read_documents(out.path)}
    whole = {document.id: document.meta["toxicity"] for document in read_documents(tmp_path / "out")}
    assert {name: score for name, score in found.items() if score} == {n: s for n, s in whole.items() if s >= 0.5}


def test_a_classifier_of_another_task_is_refused(tmp_path: Path, examples: str) -> None:
    out = learn(tmp_path, examples)
    model = load(out.path / stage.FILE)
    replace(model, about={**model.about, "task": "format"}).save(tmp_path / "other.safetensors")
    with pytest.raises(SettingsError, match="is for format, not for toxicity"):
        do(stage, tmp_path / "no", {"documents": given(tmp_path / "b")}, model=str(tmp_path / "other.safetensors"))

import hashlib
import json
import random
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hornbook.core.artifact import Artifact, payload_hash
from hornbook.core.document import Document, read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import parse
from hornbook.data import domains as stage
from hornbook.data.learned import features
from hornbook.data.learned.classifier import load
from hornbook.report.blocks import Table, Text

sys.path.insert(0, str(Path(__file__).parent))
from wordy import SHARED, artifact, digest, do, dropped, restarted, world

WORDS = {
    "sea": ["anchor", "sail", "harbour", "tide", "keel", "mast", "gull", "reef"],
    "land": ["plough", "field", "hedge", "barn", "furrow", "orchard", "meadow", "fence"],
    "sky": ["cloud", "wing", "storm", "kite", "feather", "dawn", "thunder", "breeze"],
}
SEEDS = "\n".join(f"[format.{name}]\nwords = {words[:4]}" for name, words in WORDS.items())


def about(name: str, number: int) -> str:
    rng = random.Random(f"{name}{number}")
    words = [rng.choice(WORDS.get(name, SHARED)) if rng.random() < 0.1 else rng.choice(SHARED) for _ in range(130)]
    return " ".join(words)


def given(folder: Path) -> tuple[Artifact, dict[str, str]]:
    names = [("sea", "land", "sky", "else")[i % 4] for i in range(600)]
    rows = [Document(f"d{i}", about(name, i), f"https://h{i % 41}.example/") for i, name in enumerate(names)]
    return artifact(folder, rows), {f"d{i}": name for i, name in enumerate(names)}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Artifact, dict[str, str]]:
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "own.toml").write_text(SEEDS)
    documents, truth = given(folder / "in")
    return do(stage, folder / "out", {"documents": documents}, seeds=str(folder / "own.toml")), truth


def test_few_clear_signs_teach_the_rest(seeded: tuple[Artifact, dict[str, str]]) -> None:
    out, truth = seeded
    found = Counter((truth[d.id], d.meta["format"]) for d in read_documents(out.path))
    for name in WORDS:
        assert found[name, name] >= 135, found  # of 150; half of the words are in no list
        assert sum(found[name, other] for other in WORDS if other != name) <= 4
    assert found["else", "unknown"] >= 130
    assert {d.meta["topic"] for d in read_documents(out.path)} == {"unknown"}  # the own list has no topics
    confident = [d.meta["format_confidence"] for d in read_documents(out.path) if d.meta["format"] in WORDS]
    assert min(confident) >= 0.5


def test_classes_change_only_with_the_version(seeded: tuple[Artifact, dict[str, str]]) -> None:
    assert (stage.VERSION, digest(seeded[0].path)) == (3, "2198cd291711c70e")
    signs = (Path(stage.__file__).parent / "learned/domains.toml").read_bytes()  # they decide as well
    assert (stage.VERSION, hashlib.blake2b(signs, digest_size=8).hexdigest()) == (3, "847082baf49f40ac")


def test_the_composition_adds_up(seeded: tuple[Artifact, dict[str, str]]) -> None:
    out, _ = seeded
    composition = json.loads((out.path / "composition.json").read_text())
    for classes in composition.values():
        assert sum(row["docs"] for row in classes.values()) == 600
        sizes = [len(document.text) for document in read_documents(out.path)]
        assert sum(row["bytes"] for row in classes.values()) == sum(sizes)
    titles = {block.title: block for block in stage.describe(out)}
    table = titles["Composition by format"]
    assert isinstance(table, Table) and {row[0] for row in table.rows} == {*WORDS, "unknown"}
    assert isinstance(titles["No topic classifier"], Text)


@pytest.mark.parametrize("form", ["folders", "jsonl"])
def test_examples_of_ones_own(tmp_path: Path, form: str) -> None:
    rows = [(name, about(name, 1000 + i)) for name in WORDS for i in range(60)]
    settings: dict[str, object] = {"axes": ["topic"]}
    if form == "folders":
        for number, (name, text) in enumerate(rows):
            (tmp_path / "mine" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "mine" / name / f"{number}.txt").write_text(text)
        settings["topic_examples"] = str(tmp_path / "mine")
    else:
        lines = [json.dumps({"body": text, "class": name}) for name, text in rows]
        (tmp_path / "mine.jsonl").write_text("\n".join(lines))
        settings |= {"topic_examples": str(tmp_path / "mine.jsonl"), "text_field": "body", "label_field": "class"}
    documents, truth = given(tmp_path / "in")
    out = do(stage, tmp_path / "out", {"documents": documents}, **settings)
    found = [(truth[d.id], d.meta["topic"]) for d in read_documents(out.path) if truth[d.id] != "else"]
    assert sum(a == b for a, b in found) >= 0.9 * len(found)
    assert "format" not in next(read_documents(out.path)).meta
    again = do(
        stage,
        tmp_path / "again",
        {"documents": documents},
        axes=["topic"],
        topic_model=str(out.path / "topic.safetensors"),
        drop=["sea"],
    )
    gone = dropped(again.path)
    wanted = {d.id for d in read_documents(out.path) if d.meta["topic"] == "sea"}
    assert {row["id"] for row in gone} == wanted and {(r["rule"], r["value"]) for r in gone} == {
        ("domains.unwanted", "sea")
    }


def test_workers_change_nothing(seeded: tuple[Artifact, dict[str, str]], tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(SEEDS)
    documents, _ = given(tmp_path / "in")
    out = do(stage, tmp_path / "out", {"documents": documents}, 2, seeds=str(tmp_path / "own.toml"))
    assert payload_hash(out.path) == payload_hash(seeded[0].path)


def test_who_is_not_sure_enough_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(SEEDS)
    documents, _ = given(tmp_path / "in")
    settings = {"axes": ["format"], "seeds": str(tmp_path / "own.toml")}
    out = do(stage, tmp_path / "all", {"documents": documents}, **settings, min_confidence=0.0)
    sure = do(stage, tmp_path / "sure", {"documents": documents}, **settings, min_confidence=0.8)
    names = {d.id: (d.meta["format"], d.meta["format_confidence"]) for d in read_documents(out.path)}
    wanted = {name: found if confidence >= 0.8 else "unknown" for name, (found, confidence) in names.items()}
    assert {d.id: d.meta["format"] for d in read_documents(sure.path)} == wanted
    assert any(found != wanted[name] for name, (found, _) in names.items())


def test_a_class_with_few_documents_is_given_by_its_signs_alone(tmp_path: Path) -> None:
    """Four documents about caves among 600: too few to learn from, enough to be named; a hint is no clear sign."""
    signs = 'words = ["cavern", "grotto", "stalactite"]'
    (tmp_path / "own.toml").write_text(f"{SEEDS}\n[format.cave]\n{signs}\n[topic.moon]\nwords = ['crater', 'eclipse']")
    caves = [Document(f"c{i}", f"{about('else', 2000 + i)} cavern grotto") for i in range(4)]
    hints = [Document(f"h{i}", f"{about('else', 3000 + i)} cavern") for i in range(4)]
    moon = Document("m", "The crater after the eclipse.")
    seen = [Document(f"d{i}", about("sea", i)) for i in range(150)] + [
        Document(f"e{i}", about("sky", i)) for i in range(150)
    ]
    documents = artifact(tmp_path / "in", [*seen, *caves, *hints, moon])
    out = do(stage, tmp_path / "out", {"documents": documents}, seeds=str(tmp_path / "own.toml"))
    found = {d.id: d.meta for d in read_documents(out.path)}
    assert {found[f"c{i}"]["format"] for i in range(4)} == {"cave"} and found["c0"]["format_confidence"] == 0.0
    assert not {found[f"h{i}"]["format"] for i in range(4)} & {"cave"}
    assert found["m"]["topic"] == "moon" and {found[d.id]["topic"] for d in seen} == {"unknown"}
    said = {block.title: block for block in stage.describe(out)}
    few = said["Classes without examples enough"]
    assert isinstance(few, Text) and "cave" in few.body and "by clear signs alone" in few.body
    own = str(tmp_path / "own.toml")
    less = do(stage, tmp_path / "less", {"documents": documents}, seeds=own, drop=["cave", "land", "moon"])
    assert {row["id"] for row in dropped(less.path)} == {"c0", "c1", "c2", "c3", "m"}  # there is no land here


def test_a_class_of_which_examples_are_few_may_be_dropped_by_name(tmp_path: Path) -> None:
    rows = [
        (name, about(name, 1000 + i)) for name, count in (("sea", 40), ("land", 40), ("sky", 3)) for i in range(count)
    ]
    lines = [json.dumps({"text": text, "class": name}) for name, text in rows]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    settings = {"axes": ["topic"], "topic_examples": str(tmp_path / "mine.jsonl"), "label_field": "class"}
    documents = artifact(tmp_path / "in", [Document(f"d{i}", about("land", i)) for i in range(20)])
    out = do(stage, tmp_path / "out", {"documents": documents}, **settings, drop=["sky"])
    assert {d.meta["topic"] for d in read_documents(out.path)} <= {"land", "unknown"}
    with pytest.raises(SettingsError, match='drop names "sy"; did you mean "sky"'):
        do(stage, tmp_path / "typo", {"documents": documents}, **settings, drop=["sy"])


def test_the_world(tmp_path: Path) -> None:
    pages, documents, truth = world(tmp_path)
    for name, inputs in (("truth", {"pages": pages}), ("signs", {})):
        out = do(stage, tmp_path / name, {"documents": documents, **inputs}, axes=["format"])
        found = Counter((truth[d.id]["kind"], d.meta["format"]) for d in read_documents(out.path))
        right = wrong = 0
        for (kind, said), count in found.items():
            wanted = stage.WORLD_KINDS.get(kind, "unknown")
            right += count * (wanted == said)
            wrong += count * (said not in (wanted, "unknown"))
        total = sum(found.values())
        assert right >= (0.94 if name == "truth" else 0.85) * total and wrong <= 0.032 * total, (name, found)


def test_mistakes(tmp_path: Path) -> None:
    documents, _ = given(tmp_path / "in")
    (tmp_path / "own.toml").write_text(SEEDS)
    with pytest.raises(SettingsError, match='drop names "lake"; known: land, sea, sky, unknown'):
        do(stage, tmp_path / "a", {"documents": documents}, seeds=str(tmp_path / "own.toml"), drop=["lake"])
    (tmp_path / "bad.toml").write_text("[format.sea]\nwords = 'ship'")
    with pytest.raises(SettingsError, match="words"):
        do(stage, tmp_path / "b", {"documents": documents}, seeds=str(tmp_path / "bad.toml"))


def test_plan_finds_a_misspelt_class(tmp_path: Path, seeded: tuple[Artifact, dict[str, str]]) -> None:
    """Where classes are known without examples: of the signs, of the generated world, of a model."""

    def check(reads: frozenset[str] = frozenset(), **settings: object) -> None:
        stage.check(parse(stage.Settings, settings, "test"), reads)

    with pytest.raises(SettingsError, match='"spamm"; did you mean "spam"'):
        check(drop=["spamm"])
    with pytest.raises(SettingsError, match='"recipe"; known: code, commerce'):
        check(frozenset({"pages"}), axes=["format"], drop=["recipe"])
    model = str(seeded[0].path / "format.safetensors")
    with pytest.raises(SettingsError, match='"seal"; did you mean "sea"'):
        check(axes=["format"], format_model=model, drop=["seal"])
    check(drop=["spam", "sports", "unknown"])
    check(axes=["format"], format_examples=str(tmp_path), drop=["whatever"])


def test_a_model_of_the_other_axis_is_refused(tmp_path: Path, seeded: tuple[Artifact, dict[str, str]]) -> None:
    model = str(seeded[0].path / "format.safetensors")
    with pytest.raises(SettingsError, match="for format, not for topic: it tells sea from land from sky"):
        do(stage, tmp_path / "out", {"documents": given(tmp_path / "in")[0]}, axes=["topic"], topic_model=model)


def test_examples_of_one_class_are_refused_before_the_pass(tmp_path: Path) -> None:
    """Without label_field all examples have the same class, and every document would be unknown."""
    lines = [json.dumps({"text": about("sea", i), "class": "sea"}) for i in range(30)]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    with pytest.raises(DataError, match='fewer than two classes have 10 examples or more: "" 30'):
        settings = {"axes": ["topic"], "topic_examples": str(tmp_path / "mine.jsonl")}
        do(stage, tmp_path / "out", {"documents": given(tmp_path / "in")[0]}, **settings)
    assert not (tmp_path / "out/kept").exists()


def test_a_given_model_looks_at_as_much_as_it_was_trained_on(
    tmp_path: Path, seeded: tuple[Artifact, dict[str, str]]
) -> None:
    model = load(seeded[0].path / "format.safetensors")
    replace(model, about={**model.about, "max_chars": 200}).save(tmp_path / "short.safetensors")
    rows = [Document("a", "anchor sail harbour tide " * 5 + "x" * 80 + " plough field hedge barn" * 40)]
    out = do(
        stage,
        tmp_path / "out",
        {"documents": artifact(tmp_path / "in", rows, 1)},
        axes=["format"],
        format_model=str(tmp_path / "short.safetensors"),
    )
    assert next(read_documents(out.path)).meta["format"] == "sea"


def test_words_are_hashed_once_for_both_axes(
    tmp_path: Path, seeded: tuple[Artifact, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    format_model = load(seeded[0].path / "format.safetensors")
    topic_model = replace(format_model, about={**format_model.about, "task": "topic"}, bias=format_model.bias * 0.5)
    texts = [about(name, 5000 + i) for i in range(20) for name in WORDS]
    settings = parse(stage.Settings, {}, "test")
    alone = {
        axis: stage.classified({axis: model}, texts, settings)[axis]
        for axis, model in (("format", format_model), ("topic", topic_model))
    }
    calls: list[int] = []
    word_hashes = features.word_hashes
    monkeypatch.setattr(features, "word_hashes", lambda words: calls.append(1) or word_hashes(words))
    assert stage.classified({"format": format_model, "topic": topic_model}, texts, settings) == alone
    assert len(calls) == 1


def test_a_second_start_writes_the_same(
    tmp_path: Path, seeded: tuple[Artifact, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Axes in another order than the alphabet's; all shards were done when it was interrupted."""
    model = load(seeded[0].path / "format.safetensors")
    replace(model, about={**model.about, "task": "topic"}).save(tmp_path / "topic")
    settings = {
        "axes": ["topic", "format"],
        "topic_model": str(tmp_path / "topic"),
        "format_model": str(seeded[0].path / "format.safetensors"),
    }
    rows = [Document(f"d{i}", about(name, i)) for i in range(20) for name in WORDS]
    inputs = {"documents": artifact(tmp_path / "in", rows)}
    straight = do(stage, tmp_path / "straight", inputs, **settings)
    again = restarted(monkeypatch, stage, tmp_path / "again", inputs, **settings)
    assert payload_hash(again.path) == payload_hash(straight.path)
    assert list(json.loads((again.path / "composition.json").read_text())) == ["topic", "format"]

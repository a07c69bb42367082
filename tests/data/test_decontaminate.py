import json
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.conversation import Message
from hornbook.core.document import Document, read_documents, to_table
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import decontaminate
from hornbook.data.ledger import read_funnel
from hornbook.report.blocks import Samples, Table
from hornbook.tasks.example import Example, write_examples

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in ("ll", "nt", "rk", "st")]


def prose(generator: random.Random, length: int) -> list[str]:
    """Words as unequal as those of a language: the first of a hundred is a tenth of the text."""
    return generator.choices(WORDS, weights=[1 / (n + 4) for n in range(len(WORDS))], k=length)


def artifact(folder: Path, documents: list[Document], shards: int = 2) -> Artifact:
    (folder / "kept").mkdir(parents=True)
    for number in range(shards):
        pq.write_table(to_table(documents[number::shards]), folder / f"kept/{number:05d}.parquet")
    return Artifact(folder, Manifest(kind="documents", payload_hash=folder.name))


def write_set(file: Path, *items: str | dict[str, Any]) -> str:
    rows = [item if isinstance(item, dict) else {"question": item} for item in items]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def do(folder: Path, source: Artifact, *, workers: int = 1, tasks: tuple[Artifact, ...] = (), **settings: Any) -> Any:
    """Decontaminate; returns what `contamination.json` says."""
    out = scratch_out(folder, machine=Machine(workers=workers))
    inputs: dict[str, Any] = {"documents": source} | ({"tasks": tasks} if tasks else {})
    decontaminate.run(parse(decontaminate.Settings, settings, "test"), inputs, out)
    return json.loads((folder / "contamination.json").read_text())


def dropped(folder: Path) -> dict[str, tuple[str, str]]:
    rows = [r for f in sorted((folder / "dropped").iterdir()) for r in pq.read_table(f).to_pylist()]
    return {r["id"]: (r["rule"], r["value"]) for r in rows}


class Planted:
    """400 documents of 120 words; in some, items of 40 words in one of several disguises."""

    def __init__(self, folder: Path) -> None:
        generator = random.Random(3)
        items = [prose(generator, 40) for _ in range(120)]
        self.file = write_set(folder / "exam.jsonl", *(" ".join(item) for item in items))
        disguises = {
            "exact": lambda item: item,
            "shouted": lambda item: [
                f"“{word.upper()}”," if n % 3 else f"{word.title()}…" for n, word in enumerate(item)
            ],
            "partial": lambda item: item[5:29],  # 60 %
            "short": lambda item: item[5:17],  # twelve words are too few
            "paraphrase": lambda item: [word if n % 5 else "other" for n, word in enumerate(item)],
        }
        self.kind: dict[str, str] = {}
        documents: list[Document] = []
        for number in range(400):
            words = prose(generator, 120)
            kind = list(disguises)[number % 5] if number < 100 else "clean"
            if kind != "clean":
                words[60:60] = disguises[kind](items[number])
            self.kind[f"{number:032x}"] = kind
            documents.append(Document(f"{number:032x}", " ".join(words)))
        generator.shuffle(documents)
        self.documents = artifact(folder / "in", documents, shards=3)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return Planted(tmp_path_factory.mktemp("planted"))


def test_precision_and_recall_on_planted_items(tmp_path: Path, planted: Planted) -> None:
    """All verbatim, disguised and partial copies, nothing else; a paraphrase is not found, and says so in the docs."""
    found = do(tmp_path / "out", planted.documents, sets=[planted.file])
    kinds = sorted(planted.kind[identity] for identity in dropped(tmp_path / "out"))
    assert kinds == ["exact"] * 20 + ["partial"] * 20 + ["shouted"] * 20
    books = found["sets"]["exam"]
    assert (books["items"], books["found"], books["whole"], books["longest"]) == (120, 60, 40, 40)
    assert books["ids"] == [str(n) for n in range(100) if n % 5 in (0, 1, 2)]
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == 400 == funnel["kept"] + funnel["dropped"]["decontaminate.match"]


def test_a_share_asks_for_more_than_a_match(tmp_path: Path, planted: Planted) -> None:
    do(tmp_path / "out", planted.documents, sets=[planted.file], min_share=0.8)
    assert {planted.kind[identity] for identity in dropped(tmp_path / "out")} == {"exact", "shouted"}


def test_workers_and_shards_change_nothing(tmp_path: Path, planted: Planted) -> None:
    hashes = set()
    for workers in (1, 2):
        do(tmp_path / f"w{workers}", planted.documents, workers=workers, sets=[planted.file], action="mark")
        hashes.add(payload_hash(tmp_path / f"w{workers}"))
    assert len(hashes) == 1
    other = artifact(tmp_path / "in5", list(read_documents(planted.documents.path)), shards=5)
    again = do(tmp_path / "w5", other, sets=[planted.file], action="mark")
    first = json.loads((tmp_path / "w1/contamination.json").read_text())
    assert again["sets"] == first["sets"] and again["ngrams"] == first["ngrams"]


ITEM = "how many small brown hens can sit on the long wall behind the old red barn tonight"


def test_marks_name_the_items(tmp_path: Path) -> None:
    exam = write_set(tmp_path / "exam.jsonl", {"id": "q1", "question": ITEM})
    source = artifact(tmp_path / "in", [Document("a", f"Well: {ITEM}?"), Document("b", "no such thing", meta={"n": 1})])
    do(tmp_path / "out", source, sets=[exam], action="mark")
    metas = {d.id: d.meta for d in read_documents(tmp_path / "out")}
    assert metas == {"a": {"contaminated_with": ["exam#q1"]}, "b": {"n": 1}}
    assert read_funnel(tmp_path / "out")["edited"] == {"decontaminate.mark": 1}
    do(tmp_path / "drop", source, sets=[exam])
    assert dropped(tmp_path / "drop") == {"a": ("decontaminate.match", "exam#q1, 17 words")}


def test_cuts_take_the_surroundings_and_leave_the_rest(tmp_path: Path) -> None:
    """200 characters go on either side; what is left of a document that was all item is dropped."""
    exam = write_set(tmp_path / "exam.jsonl", ITEM)
    before, after = "a" * 199 + " " + "b " * 150, " c" * 150 + " " + "d" * 250
    source = artifact(tmp_path / "in", [Document("a", f"{before}{ITEM}.{after}"), Document("b", f"Well: {ITEM}")])
    do(tmp_path / "out", source, sets=[exam], action="cut", cut_chars=150)
    [left] = read_documents(tmp_path / "out")
    assert left.id == "a" and left.text.startswith("a" * 199) and left.text.endswith("d" * 250)
    assert left.text.count("b") == 75 and left.text.count("c") == 75 and "hens" not in left.text and "\n\n" in left.text
    assert dropped(tmp_path / "out") == {"b": ("decontaminate.pieces", "0")}
    assert read_funnel(tmp_path / "out")["edited"] == {"decontaminate.cut": 2}


@pytest.mark.parametrize(("items", "kept"), [(9, True), (10, False)])
def test_a_document_in_too_many_pieces_goes(tmp_path: Path, items: int, kept: bool) -> None:
    """Ten pieces, as many as GPT-3 allows, stay; eleven do not."""
    generator = random.Random(6)
    exams = [" ".join(prose(generator, 14)) for _ in range(items)]
    exam = write_set(tmp_path / "exam.jsonl", *exams)
    text = "".join(f"{' '.join(f'w{n}x{k}' for k in range(9))} {one} " for n, one in enumerate(exams)) + "and it ends"
    source = artifact(tmp_path / "in", [Document("a", text), Document("b", "no such thing")])
    do(tmp_path / "out", source, sets=[exam], action="cut", cut_chars=0)
    assert dropped(tmp_path / "out") == ({} if kept else {"a": ("decontaminate.pieces", "11")})
    if kept:
        [left] = [d.text for d in read_documents(tmp_path / "out") if d.id == "a"]
        assert len(left.split("\n\n")) == 10


def test_a_document_names_ten_of_its_items(tmp_path: Path) -> None:
    """Those with the longest matches."""
    generator = random.Random(7)
    exams = [" ".join(prose(generator, 13 + n)) for n in range(12)]
    exam = write_set(tmp_path / "exam.jsonl", *exams)
    do(tmp_path / "out", artifact(tmp_path / "in", [Document("a", "; ".join(exams))]), sets=[exam], action="mark")
    [document] = read_documents(tmp_path / "out")
    assert document.meta["contaminated_with"] == [f"exam#{n}" for n in range(11, 1, -1)]


def test_books_are_looked_through_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    spans = decontaminate.common_spans
    monkeypatch.setattr(decontaminate, "common_spans", lambda i, texts: taken.append(len(texts)) or spans(i, texts))
    books = [Document(f"{n:02d}", f"book {n} " + "and so on and on " * 15_000 + ITEM * (n == 2)) for n in range(4)]
    exam = write_set(tmp_path / "exam.jsonl", ITEM)
    do(tmp_path / "out", artifact(tmp_path / "in", books, shards=1), sets=[exam])
    assert taken == [1] * 4 and set(dropped(tmp_path / "out")) == {"02"}


def test_boilerplate_is_listed_and_can_be_left_out(tmp_path: Path) -> None:
    """A licence that stands in an item and in 30 documents; one document has the rest of the item too."""
    licence = "permission is hereby granted free of charge to any person obtaining a copy of this software"
    exam = write_set(tmp_path / "exam.jsonl", f"{licence} {ITEM}")
    documents = [Document(f"{n:02d}", f"program {n} {licence} and so on") for n in range(30)]
    documents.append(Document("leak", f"{licence} {ITEM}"))
    source = artifact(tmp_path / "in", documents)
    found = do(tmp_path / "all", source, sets=[exam], action="mark")
    assert found["ngrams"][0] == {
        "text": licence,
        "documents": 31,
        "left_out": False,
    }
    assert read_funnel(tmp_path / "all")["edited"] == {"decontaminate.mark": 31}
    found = do(tmp_path / "few", source, sets=[exam], max_ngram_docs=10)
    assert set(dropped(tmp_path / "few")) == {"leak"} and found["ngrams"][0]["left_out"]


def test_tasks_of_our_own_and_passages_apart(tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    write_examples(folder / "facts.jsonl", [Example("f1", (Message("user", ITEM),), ("yes",))])
    (folder / "tasks.json").write_text('{"facts": {}}')
    tasks = Artifact(folder, Manifest(kind="tasks", payload_hash="t"))
    passage = " ".join(WORDS[:30])
    squad = tmp_path / "squad.json"
    qas = [{"id": "1", "question": "what is this all about then now?"}]
    squad.write_text(json.dumps({"data": [{"paragraphs": [{"context": passage, "qas": qas}]}]}))
    source = artifact(tmp_path / "in", [Document("a", ITEM), Document("b", f"x {passage} y"), Document("c", "z")])
    found = do(tmp_path / "out", source, tasks=(tasks,), sets=[str(squad)])
    assert {name: (s["items"], s["found"], s["too_short"]) for name, s in found["sets"].items()} == {
        "facts": (1, 1, 0), "squad": (1, 0, 1), "squad (passages)": (1, 1, 0),
    }  # fmt: skip
    assert set(dropped(tmp_path / "out")) == {"a", "b"}


def test_the_report(tmp_path: Path, planted: Planted) -> None:
    do(tmp_path / "out", planted.documents, sets=[planted.file])
    table, finds, grams, *_ = decontaminate.describe(Artifact(tmp_path / "out", Manifest(kind="documents")))
    assert isinstance(table, Table) and table.rows == [["exam", 120, 0, 60, "50.0 %", 40, 40]]
    assert isinstance(finds, Samples) and finds.items[0]["words"] == "40" and len(finds.items) == 20
    assert isinstance(grams, Table) and grams.rows[0][1] == 1


def test_mistakes_are_sentences(tmp_path: Path, planted: Planted) -> None:
    with pytest.raises(SettingsError, match="no evaluation set is given"):
        do(tmp_path / "no", planted.documents)
    with pytest.raises(SettingsError, match="min_words is larger"):
        do(tmp_path / "no", planted.documents, sets=["x"], min_words=20)
    with pytest.raises(SettingsError, match="span_words is smaller"):
        do(tmp_path / "no", planted.documents, sets=["x"], span_words=5)
    with pytest.raises(DataError, match="has a text of 8 words"):
        do(tmp_path / "no", planted.documents, sets=[write_set(tmp_path / "short.jsonl", "too short to see")])

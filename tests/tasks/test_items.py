import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.conversation import Message
from hornbook.core.errors import DataError
from hornbook.tasks.example import Example
from hornbook.tasks.items import Item, find_sets, format_of, is_header, items_of, read_set


def read(folder: Path, name: str, content: Any, fields: tuple[str, ...] = ()) -> list[Item]:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return list(read_set("set", file, fields))


def texts(items: list[Item]) -> list[tuple[str, ...]]:
    return [item.texts for item in items]


def test_json_lines_give_all_text_but_names_and_labels(tmp_path: Path) -> None:
    """Choices belong to their item; ids, urls, single words and numbers do not."""
    record = {"id": "q7", "question": "Which of them?", "choices": ["a red hen", "none"], "gold": 1, "url": "x y"}
    items = read(tmp_path, "a.jsonl", json.dumps(record) + "\n\n" + json.dumps({"text": "two words"}))
    assert items == [Item("set", "q7", ("Which of them?", "a red hen")), Item("set", "1", ("two words",))]
    assert texts(read(tmp_path, "b.jsonl", json.dumps(record), ("choices",))) == [("a red hen",)]


@pytest.mark.parametrize(
    "content",
    [
        [{"q": "one two"}, {"q": "three four"}],
        {"q": ["one two", "three four"], "label": [0, 1]},
        {"version": "2", "results": [{"q": "one two"}, {"q": "three four"}], "mean": 0.5},
        {"a": {"q": "one two"}, "b": {"q": "three four"}},
        ["one two", "three four"],
        [["one two", 0.1], ["three four", 0.2]],
    ],
)
def test_the_shapes_of_json(tmp_path: Path, content: Any) -> None:
    assert texts(read(tmp_path, "a.json", content)) == [("one two",), ("three four",)]


def test_squad_parts_passages_from_questions(tmp_path: Path) -> None:
    def paragraph(context: str, *questions: str) -> dict[str, Any]:
        qas = [
            {"id": f"id-{q}", "question": f"Who {q}?", "answers": [{"text": "the hen", "start": 3}]} for q in questions
        ]
        return {"context": context, "qas": qas}

    data = [{"title": "Hens and more", "paragraphs": [paragraph("Hens sit.", "sits", "eats"), paragraph("Cats run.")]}]
    items = read(tmp_path, "a.json", {"version": "v2", "data": data})
    assert [(i.part, i.texts) for i in items] == [
        ("passage", ("Hens sit.",)),
        ("question", ("Who sits?", "the hen")),
        ("question", ("Who eats?", "the hen")),
        ("passage", ("Cats run.",)),
    ]
    assert [i.id for i in items][1:3] == ["id-sits", "id-eats"]


def test_a_passage_of_several_questions_counts_once(tmp_path: Path) -> None:
    records = [{"passage": "All about hens.", "question": f"Is it {n} hens?"} for n in range(3)]
    parts = [i.part for i in read(tmp_path, "a.json", records)]
    assert parts == ["passage", "question", "question", "question"]
    alone = read(tmp_path, "b.json", [{"context": "The hen went to the", "continuation": "coop"}])
    assert [(i.part, i.texts) for i in alone] == [("question", ("The hen went to the",))]


def test_csv_with_and_without_a_header(tmp_path: Path) -> None:
    """A quoted field may hold commas and line ends; the first row of MMLU is an item already."""
    headed = 'id,prompts_final\n1,"first, of\ntwo"\n2,second one\n'
    assert texts(read(tmp_path, "a.csv", headed)) == [("first, of\ntwo",), ("second one",)]
    bare = "What is it?,one hen,two,3,4,A\nAnd then what?,x,y,z z,w,B\n"
    assert texts(read(tmp_path, "b.csv", bare)) == [("What is it?", "one hen"), ("And then what?", "z z")]
    assert texts(read(tmp_path, "c.tsv", "question\tlabel\nwhat then\t1\n")) == [("what then",)]
    assert not is_header(["text", "text"]) and not is_header(["Paris", "Rome"]) and is_header(["Question", "A", "B"])


def test_lines_yaml_gzip_and_parquet(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    assert texts(read(tmp_path, "a.txt.dev", "1 [The hen] sat.\n\n2 It ran off.\n")) == [
        ("[The hen] sat.",),
        ("It ran off.",),
    ]
    assert texts(read(tmp_path, "b.txt", "3 hens sat.\nOne hen sat.\n")) == [("3 hens sat.",), ("One hen sat.",)]
    assert texts(read(tmp_path, "c.yaml", "- one two\n- |\n  three\n  four\n")) == [("one two",), ("three\nfour\n",)]
    with gzip.open(tmp_path / "d.jsonl.gz", "wt") as file:
        file.write('{"q": "one two"}\n')
    assert texts(list(read_set("set", tmp_path / "d.jsonl.gz"))) == [("one two",)]
    pyarrow.parquet.write_table(pyarrow.table({"q": ["one two"], "n": [1]}), tmp_path / "e.parquet")
    assert texts(list(read_set("set", tmp_path / "e.parquet"))) == [("one two",)]


def test_sets_of_a_folder_and_what_is_none(tmp_path: Path) -> None:
    for name in ("README.md", "mmlu/README.txt", "mmlu/law.csv", "qa.jsonl", "qa.json", "x.bin", "dev.txt.1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found, others = find_sets(tmp_path)
    assert [name for name, _ in found] == ["dev", "mmlu/law", "qa", "qa.jsonl"]
    assert others == ["README.md", "mmlu/README.txt", "x.bin"]
    assert find_sets(tmp_path / "qa.json")[0] == [("qa", tmp_path / "qa.json")]
    assert format_of(tmp_path / "x.bin") is None


def test_examples_of_our_own_tasks() -> None:
    """The system's words are nobody's secret; rivals in `meta` are not part of the item."""
    messages = (Message("system", "Be kind to all."), Message("user", "Who sat there?"))
    example = Example("e1", messages, ("the hen",), {"rivals": ["the cat"]})
    assert list(items_of("facts", [example])) == [Item("facts", "e1", ("Who sat there?", "the hen"))]


def test_broken_sets_are_named(tmp_path: Path) -> None:
    for name, content, found in [
        ("a.jsonl", '{"a": "b c"}\n{"a": ', "a.jsonl:2"),
        ("b.json", "{", "cannot be read as json"),
        ("c.yaml", "a: [", "cannot be read as yaml"),
        ("d.parquet", "no", "cannot be read as parquet"),
        ("e.bin", "", "no evaluation set that can be read"),
    ]:
        with pytest.raises(DataError) as error:
            read(tmp_path, name, content)
        assert found in str(error.value)
    (tmp_path / "f.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read as text"):
        list(read_set("set", tmp_path / "f.txt"))

"""One task put to a model: prompts as in serving, seeds by case, grades, and bits of references."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hornbook.core.conversation import Message
from hornbook.core.errors import DataError, SettingsError
from hornbook.evaluate import asking
from hornbook.evaluate.asking import Asking
from hornbook.tasks.example import Example
from hornbook.tokenizer.chat import render
from hornbook.tokenizer.tokenizer import Tokenizer


def example(name: str, *answers: str, **meta: Any) -> Example:
    return Example(name, (Message("user", f"Who is {name}?"),), answers, meta)


def ask(model: Any, examples: list[Example], **task: Any) -> list[dict[str, Any]]:
    return asking_of(model, **task).all(examples, lambda n: None)


def asking_of(model: Any, grader: str = "hornbook.tasks.graders:exact", **sampling: Any) -> Asking:
    task = {"grader": grader, "sampling": {"max_tokens": 9} | sampling}
    return Asking(model, model.tokenizer, model.context_tokens, "who", task, seed=5)


def test_records_by_hand(tokenizer: Tokenizer, fake: ModuleType) -> None:
    model = fake.FakeModel(tokenizer, answer=lambda p: ("A fox." if "Ann" in p else "I don't know.", 0.25))
    first, second = ask(model, [example("Ann", "fox"), example("Ben", "owl")])
    assert first == {
        "task": "who",
        "id": "Ann",
        "sample": 0,
        "group": "Ann",
        "asked": "Who is Ann?",
        "answer": "A fox.",
        "right": ["fox"],
        "grade": 1.0,
        "confidence": pytest.approx(0.25),
        "refuses": False,
        "finish": "stop",
    }
    assert (second["grade"], second["refuses"], second["id"]) == (0.0, True, "Ben")
    request = model.asked[0]
    assert list(request.ids) == render(example("Ann").messages, tokenizer, add_generation_prompt=True).ids
    assert (request.max_tokens, request.temperature) == (9, 0.0)


def test_every_case_has_a_seed_of_its_own(
    tokenizer: Tokenizer, fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = [example(f"n{i}") for i in range(10)]
    model = fake.FakeModel(tokenizer)
    ask(model, examples, temperature=0.7)
    monkeypatch.setattr(asking, "GROUP_CASES", 3)
    again = fake.FakeModel(tokenizer)
    records = ask(again, examples, temperature=0.7)
    assert [r.seed for r in again.asked] == [r.seed for r in model.asked]
    assert len({r.seed for r in model.asked}) == 10 and all(r.temperature == 0.7 for r in model.asked)
    assert [r["id"] for r in records] == [e.id for e in examples]


def test_too_long_a_prompt_is_a_wrong_answer(tokenizer: Tokenizer, fake: ModuleType) -> None:
    model = fake.FakeModel(tokenizer, answer=lambda p: ("yes", 1.0), context_tokens=40)
    long = Example("long", (Message("user", "x" * 100),), ("yes",))
    first, second = ask(model, [long, example("Al", "yes")])
    assert (first["grade"], first["finish"], first["answer"]) == (0.0, "prompt too long", "")
    assert (second["grade"], len(model.asked)) == (1.0, 1)


def test_several_samples_of_each_example(tokenizer: Tokenizer, fake: ModuleType) -> None:
    model = fake.FakeModel(tokenizer)
    made = asking_of(model, temperature=1.0, num_samples=3)
    examples = [example("Ann", pair="p"), example("Bo", "x", reference="The x.")]
    records = made.all(examples, lambda n: None)
    assert made.num_answers(examples) == 6
    assert [(r["id"], r["sample"], r["group"]) for r in records[1:4]] == [
        ("Ann", 1, "p"),
        ("Ann", 2, "p"),
        ("Bo", 0, "Bo"),
    ]
    assert len({r.seed for r in model.asked}) == 6
    assert records[3]["right"] == ["The x."]


def test_bits_of_references_count_the_answer_and_its_end_alone(tokenizer: Tokenizer, fake: ModuleType) -> None:
    end = tokenizer.end_of_turn_id
    model = fake.FakeModel(tokenizer, lambda before, token: 5.0 if token == end else 2.0 if before[-1] > 16 else 100.0)
    examples = [example("Ann", "abc", "a"), example("Bo"), example("Cy", "x" * 90)]
    ann, bo, too_long = asking_of(model).reference_bits(examples)
    assert ann == pytest.approx([3 * 2 + 5, 2 + 5], abs=1e-5)  # "\n" stands before the answer
    assert (bo, too_long) == ([], [])


def test_graders_that_fail_or_are_not_there(tokenizer: Tokenizer, fake: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def half(example, text):\n    return 0.5\ndef bad(example, text):\n    1 / 0\n")
    model = fake.FakeModel(tokenizer)
    assert ask(model, [example("Ann")], grader=f"{tmp_path / 'mine.py'}:half")[0]["grade"] == 0.5
    with pytest.raises(DataError, match=r"the grader failed: ZeroDivisionError.*case Ann of who"):
        ask(model, [example("Ann")], grader=f"{tmp_path / 'mine.py'}:bad")
    with pytest.raises(SettingsError, match="no grader"):
        ask(model, [example("Ann")], grader="hornbook.tasks.graders:nothing")

from pathlib import Path

import small

from hornbook.core.conversation import Conversation, Message
from hornbook.posttrain.answers import answerer
from hornbook.tokenizer.tokenizer import Tokenizer


def test_a_few_questions_are_answered_the_same_way_every_time(tmp_path: Path) -> None:
    small.byte_tokenizer(tmp_path)
    model = small.model(vocab_size=272, max_tokens=128)
    model.initialise(2, embedding_std=0.3, zero_projections=False)
    asked = [("only a question",), ("x" * 120, "too long"), *((f"q{n}", f"a{n}") for n in range(6))]
    talks = [
        Conversation(
            str(n), tuple(Message(role, text) for role, text in zip(("user", "assistant"), turns, strict=False))
        )
        for n, turns in enumerate(asked)
    ]
    measure = answerer(model, Tokenizer.load(tmp_path), talks, max_tokens=4, seed=1)
    first, second = (measure(lambda i, t, s: i)["samples"] for _ in range(2))
    assert first == second and [(s["prompt"], s["wanted"]) for s in first] == [("q0", "a0"), ("q1", "a1"), ("q2", "a2")]
    assert all(p.requires_grad for p in model.parameters())

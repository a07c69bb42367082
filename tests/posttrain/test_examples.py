from collections import Counter

import numpy as np
import pytest
import small

from hornbook.core.conversation import Conversation, Message
from hornbook.posttrain.examples import ExampleSource, rendered, split
from hornbook.tokenizer.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    small.byte_tokenizer(folder)
    return Tokenizer.load(folder)


def talk(number: int, *turns: tuple[str, str]) -> Conversation:
    return Conversation(str(number), tuple(Message(role, content) for role, content in turns))


def test_only_what_the_assistant_says_is_learned(tokenizer: Tokenizer) -> None:
    """Spelled out: the learned targets of two turns are the answers' bytes and their ends of turn, nothing else."""
    talks = [talk(0, ("system", "be"), ("user", "hi?"), ("assistant", "yes"), ("user", "so"), ("assistant", "no"))]
    ((ids, weights),), left_out = rendered(talks, tokenizer, 200)
    learned = ids[1:][weights > 0].tolist()
    end = tokenizer.end_of_turn_id
    assert learned == [*tokenizer.encode("yes"), end, *tokenizer.encode("no"), end] and left_out == 0
    assert ids[0] == tokenizer.bos_id and len(weights) == len(ids) - 1


def test_too_long_and_unanswered_conversations_are_left_out_and_counted(tokenizer: Tokenizer) -> None:
    talks = [
        talk(0, ("user", "a"), ("assistant", "b")),
        talk(1, ("user", "a"), ("assistant", "b" * 100)),
        talk(2, ("user", "nobody answers")),
    ]
    items, left_out = rendered(talks, tokenizer, 60)
    assert len(items) == 1 and left_out == 2
    exact = len(items[0][1])
    assert rendered(talks[:1], tokenizer, exact)[1] == 0 and rendered(talks[:1], tokenizer, exact - 1)[1] == 1


def test_a_conversation_always_falls_on_the_same_side() -> None:
    talks = [talk(n, ("user", "a")) for n in range(400)]
    parts = split(talks, 0.25)
    assert 60 < len(parts.validation) < 140 and len(parts.train) + len(parts.validation) == 400
    fewer = split(talks[::-1][:200], 0.25)
    assert {c.id for c in fewer.validation} <= {c.id for c in parts.validation}
    assert split(talks, 0.0).validation == []


def items(num: int) -> list[tuple[np.ndarray, np.ndarray]]:
    lengths = np.random.default_rng(1).integers(2, 30, num)
    return [(np.arange(100 * n, 100 * n + k + 1), np.ones(k, dtype=np.float32)) for n, k in enumerate(lengths)]


def test_every_epoch_has_every_item_once_and_any_cursor_goes_on() -> None:
    made = items(40)
    source = ExampleSource(made, row_tokens=32, batch_rows=3, pad_id=0, seed=1)
    for epoch in range(3):
        counted = Counter(i for row in source.epoch_rows(epoch) for i in row)
        assert counted == Counter(range(40))
    assert source.epoch_rows(0) != source.epoch_rows(1)
    straight = source.batches(None)
    batches = [next(straight) for _ in range(20)]
    assert batches[-1].cursor["epoch"] >= 1
    for at in range(0, 19, 4):
        again = ExampleSource(made, row_tokens=32, batch_rows=3, pad_id=0, seed=1).batches(batches[at].cursor)
        other = next(again)
        assert (other.ids_BT == batches[at + 1].ids_BT).all() and other.cursor == batches[at + 1].cursor

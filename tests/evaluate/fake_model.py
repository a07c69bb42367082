"""A language model whose every probability is known, and a tokenizer of bytes."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hornbook.engine.interface import Completion, Request
from hornbook.tokenizer import learn
from hornbook.tokenizer.tokenizer import Tokenizer


def byte_tokenizer(folder: Path) -> Tokenizer:
    """Our tokenizer with nothing learned: 16 special ids, then the bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = learn.Settings(vocab_size=272)
    learn.write_folder(folder, {bytes([b]): b for b in range(256)}, settings)
    return Tokenizer.load(folder)


class FakeModel:
    """Each token costs what `cost(ids before, token)` says, in bits; answers come from `answer(prompt text)`.

    `answer` gives the text and the probability of each of its tokens.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        cost: Callable[[Sequence[int], int], float] = lambda before, token: 1.0,
        answer: Callable[[str], tuple[str, float]] = lambda prompt: ("", 1.0),
        context_tokens: int = 64,
    ) -> None:
        self.tokenizer, self.context_tokens = tokenizer, context_tokens
        self._cost, self._answer = cost, answer
        self.scored: list[list[int]] = []
        self.asked: list[Request] = []

    def score(self, ids: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """Costs as log-probabilities."""
        assert all(len(text) <= self.context_tokens for text in ids)
        self.scored += [list(text) for text in ids]
        return [
            np.array([-math.log(2) * self._cost(text[:i], text[i]) for i in range(1, len(text))], dtype=np.float32)
            for text in ids
        ]

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """The answers, each ended by the end of turn."""
        self.asked += list(requests)
        done: list[Completion] = []
        for request in requests:
            text, probability = self._answer(self.tokenizer.decode(request.ids))
            ids = (*self.tokenizer.encode(text), self.tokenizer.end_of_turn_id)
            logp = [math.log(probability), *([0.0] * (len(ids) - 1))]
            done.append(Completion(ids, text, logp, None, "stop"))
        return done

    def refresh(self, model: object) -> None:
        """Nothing to take over."""


def write_tasks(folder: Path, table: dict[str, object], examples: dict[str, list[dict[str, object]]]) -> None:
    """A tasks artifact's payload."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tasks.json").write_text(json.dumps(table))
    for name, records in examples.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))

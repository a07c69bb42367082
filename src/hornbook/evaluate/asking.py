"""One task put to a model: the same rendering as in serving, every answer graded and kept."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

from hornbook.core.conversation import Message
from hornbook.core.errors import DataError, HornbookError
from hornbook.core.seed import key
from hornbook.engine.interface import Completion, LanguageModel, Request
from hornbook.tasks.example import Example, Grader, load_grader
from hornbook.tasks.graders import refuses
from hornbook.tokenizer.chat import render
from hornbook.tokenizer.tokenizer import Tokenizer

GROUP_CASES = 64
MAX_TOKENS = 64


class Asking:
    """The questions of a task, the way they are sampled, and the grader."""

    def __init__(
        self,
        model: LanguageModel,
        tokenizer: Tokenizer,
        context_tokens: int,
        name: str,
        task: dict[str, Any],
        seed: int,
    ) -> None:
        self._model, self._tokenizer, self._context_tokens = model, tokenizer, context_tokens
        self._name, self._seed = name, seed
        sampling = task.get("sampling", {})
        self._temperature = float(sampling.get("temperature", 0.0))
        self._max_tokens = int(sampling.get("max_tokens", MAX_TOKENS))
        self._num_samples = int(sampling.get("num_samples", 1))
        self._address = str(task["grader"])
        self._grade: Grader = load_grader(self._address)

    def num_answers(self, examples: Sequence[Example]) -> int:
        """How many answers all examples together get."""
        return len(examples) * self._num_samples

    def all(self, examples: Sequence[Example], advance: Callable[[int], None]) -> list[dict[str, Any]]:
        """A record for every answer, in the order of the examples.

        Too long a prompt counts as a wrong answer, never as none.
        """
        records: list[dict[str, Any]] = []
        cases = [(number, example) for example in examples for number in range(self._num_samples)]
        requests = [self._request(index, example) for index, (_, example) in enumerate(cases)]
        for first in range(0, len(cases), GROUP_CASES):
            group = range(first, min(first + GROUP_CASES, len(cases)))
            fitting = [i for i in group if len(requests[i].ids) < self._context_tokens]
            answers = dict(zip(fitting, self._model.generate([requests[i] for i in fitting]), strict=True))
            records += [self._record(*cases[index], answers.get(index)) for index in group]
            advance(len(group))
        return records

    def reference_bits(self, examples: Sequence[Example]) -> list[list[float]]:
        """For each example the bits that the model needs for each of its answers and their ends.

        Answers that do not fit into the context are left out. Scored in fp32.
        """
        marked: list[tuple[int, list[int], list[bool]]] = []
        for index, example in enumerate(examples):
            for answer in example.answers:
                rendered = render((*example.messages, Message("assistant", answer)), self._tokenizer)
                if len(rendered.ids) <= self._context_tokens:
                    marked.append((index, rendered.ids, rendered.train))
        bits: list[list[float]] = [[] for _ in examples]
        for (index, _, train), logp in zip(marked, self._model.score([ids for _, ids, _ in marked]), strict=True):
            counted = itertools.compress(logp.tolist(), train[1:])
            bits[index].append(-math.fsum(counted) / math.log(2))
        return bits

    def _request(self, index: int, example: Example) -> Request:
        rendered = render(example.messages, self._tokenizer, add_generation_prompt=True)
        seed = key(self._seed, f"evaluate.generative/{self._name}", index) >> 1
        return Request(tuple(rendered.ids), max_tokens=self._max_tokens, temperature=self._temperature, seed=seed)

    def _record(self, number: int, example: Example, answer: Completion | None) -> dict[str, Any]:
        text = answer.text if answer else ""
        try:
            grade = float(self._grade(example, text)) if answer else 0.0
        except HornbookError:
            raise
        except Exception as error:  # a grader may be anybody's
            where = f"{self._address}, case {example.id} of {self._name}"
            raise DataError(f"the grader failed: {error!r}", where=where, do="Mend the grader") from error
        return {
            "task": self._name,
            "id": example.id,
            "sample": number,
            "group": str(example.meta.get("pair", example.id)),
            "asked": example.messages[-1].content,
            "answer": text,
            "right": [str(example.meta["reference"])] if "reference" in example.meta else list(example.answers[:1]),
            "grade": grade,
            "confidence": math.exp(min(answer.logp)) if answer and answer.logp else 0.0,
            "refuses": refuses(text),
            "finish": answer.finish_reason if answer else "prompt too long",
        }

"""One task put to a model: the same rendering as in serving, every answer graded and kept."""

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


class Asking:
    """One task put to a model: prompts rendered as for serving, answers graded, references judged."""

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
        self._name, self._task, self._seed = name, task, seed
        self._grade: Grader = load_grader(task["grader"])

    def all(self, examples: Sequence[Example], advance: Callable[[int], None]) -> list[dict[str, Any]]:
        """One record for each example, in their order. Too long a prompt counts as a wrong answer, never as none."""
        records: list[dict[str, Any]] = []
        for first in range(0, len(examples), GROUP_CASES):
            group = list(enumerate(examples))[first : first + GROUP_CASES]
            requests = {index: self._request(index, example) for index, example in group}
            fitting = [i for i, request in requests.items() if len(request.ids) < self._context_tokens]
            answers = dict(zip(fitting, self._model.generate([requests[i] for i in fitting]), strict=True))
            records += [self._record(example, answers.get(index)) for index, example in group]
            advance(len(group))
        floors = [example.meta.get("floor_bits", self._task.get("floor_bits")) for example in examples]
        if any(floor is not None for floor in floors):
            for record, bits, floor in zip(records, self._reference_bits(examples), floors, strict=True):
                record |= {"reference_bits": bits, "floor_bits": floor} if bits is not None else {}
        return records

    def _request(self, index: int, example: Example) -> Request:
        rendered = render(example.messages, self._tokenizer, add_generation_prompt=True)
        return Request(
            tuple(rendered.ids),
            max_tokens=int(self._task.get("max_tokens", 64)),
            temperature=float(self._task.get("temperature", 0.0)),
            seed=key(self._seed, f"evaluate.generative/{self._name}", index) >> 1,
        )

    def _record(self, example: Example, answer: Completion | None) -> dict[str, Any]:
        text = answer.text if answer else ""
        try:
            grade = float(self._grade(example, text)) if answer else 0.0
        except HornbookError:
            raise
        except Exception as error:  # a grader may be anybody's
            where = f"{self._task['grader']}, case {example.id} of {self._name}"
            raise DataError(f"the grader failed: {error!r}", where=where, do="Mend the grader") from error
        return {
            "task": self._name,
            "id": example.id,
            "asked": example.messages[-1].content,
            "answer": text,
            "right": list(example.answers),
            "grade": grade,
            "lowest": math.exp(min(answer.logp)) if answer and answer.logp else 0.0,
            "refuses": refuses(text),
            "finish": answer.finish_reason if answer else "prompt too long",
        }

    def _reference_bits(self, examples: Sequence[Example]) -> list[float | None]:
        """Bits the model needs for each example's own answer and its end; None where there is none."""
        marked: dict[int, tuple[list[int], list[bool]]] = {}
        for index, example in enumerate(examples):
            if example.answers:
                messages = (*example.messages, Message("assistant", example.answers[0]))
                rendered = render(messages, self._tokenizer)
                if len(rendered.ids) <= self._context_tokens:
                    marked[index] = (rendered.ids, rendered.train)
        found = dict(zip(marked, self._model.score([ids for ids, _ in marked.values()]), strict=True))
        bits: list[float | None] = [None] * len(examples)
        for index, (_, train) in marked.items():
            counted = [float(logp) for logp, trained in zip(found[index], train[1:], strict=True) if trained]
            bits[index] = -math.fsum(counted) / math.log(2)
        return bits

"""A second mix for the end of a run: batches of one source, and of another once the run is far enough.

Source: the stages of OLMo 2 (OLMo team 2024, section 4) and MiniCPM (Hu et al. 2024, section 5): while the learning
rate decays, the better data. Deviation: the second source replaces the first; what should stay is mixed into it.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hornbook.core.artifact import Artifact
from hornbook.core.errors import DataError
from hornbook.pretrain.source import Fill, TokenSource
from hornbook.train.batch import Batch

MAIN, ANNEAL = "main", "anneal"


class AnnealedSource:
    """Batches of `main` until `start_frac` of the run, then of `anneal` from its beginning.

    The cursor is {phase, from_tokens (of the second phase), at (the cursor of that phase's source)}. Whether it is
    time is asked before each batch, of the loop, so a run that is planned again moves the border with its decay.
    """

    def __init__(self, main: TokenSource, anneal: TokenSource, start_frac: float) -> None:
        self.main, self.anneal, self.start_frac = main, anneal, start_frac
        self._pace: Callable[[], tuple[int, int]] = _not_begun

    def follow(self, pace: Callable[[], tuple[int, int]]) -> None:
        """`pace`: tokens that are behind the run, and those it will have in all."""
        self._pace = pace

    def batches(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """Batches after `cursor` (None = from the start)."""
        phase, at = (cursor["phase"], cursor["at"]) if cursor else (MAIN, None)
        if phase == MAIN:
            stream = self.main.batches(at)
            while not self._due():
                batch = next(stream)
                yield replace(batch, cursor={"phase": MAIN, "at": batch.cursor})
            at = None
        from_tokens = cursor["from_tokens"] if cursor and phase == ANNEAL else self._pace()[0]
        for batch in self.anneal.batches(at):
            yield replace(batch, cursor={"phase": ANNEAL, "from_tokens": from_tokens, "at": batch.cursor})

    def first_rows(self) -> Fill:
        """How both fill their rows, by their parts of the run."""
        one, two, part = self.main.first_rows(), self.anneal.first_rows(), self.start_frac
        return Fill(
            part * one.padding_frac + (1 - part) * two.padding_frac,
            part * one.context_tokens + (1 - part) * two.context_tokens,
        )

    def _due(self) -> bool:
        tokens, total_tokens = self._pace()
        return tokens >= self.start_frac * total_tokens


def check_tokenizers(tokens: Artifact, anneal: Artifact) -> None:
    """Both mixes must have been encoded by the same tokenizer. Raises DataError."""
    texts = [artifact.file("tokenizer/tokenizer.json").read_bytes() for artifact in (tokens, anneal)]
    sizes = [json.loads(artifact.file("tokens.json").read_text())["vocab_size"] for artifact in (tokens, anneal)]
    if texts[0] != texts[1] or sizes[0] != sizes[1]:
        found = "the two mixes were encoded by different tokenizers"
        do = "Give both tokenizer.encode stages the same read.tokenizer"
        raise DataError(found, where=f"{tokens.path} and {anneal.path}", do=do)


def _not_begun() -> tuple[int, int]:
    return 0, 1

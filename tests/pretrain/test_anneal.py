"""The second mix: when it begins, that any cursor goes on exactly, and that a run in halves is the whole run."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
import torch

from hornbook.core.artifact import Artifact
from hornbook.core.errors import DataError
from hornbook.pretrain.anneal import AnnealedSource, check_tokenizers
from hornbook.pretrain.source import Fill, TokenSource
from hornbook.train.batch import Batch, Paced
from hornbook.train.loop import Fit, Job, State, fit
from hornbook.train.objective import NextToken
from hornbook.train.stop import Stop

BATCH_TOKENS = 256
SHIFT = 20
"""Ids of the second mix are those of the first plus this."""


def second(num_docs: int = 60) -> TokenSource:
    docs = [np.where(d >= small.FIRST, d + SHIFT, d) for d in small.documents(num_docs, 9)[0]]
    return TokenSource(small.shard(docs), row_tokens=64, batch_rows=4, pad_id=0, seed=8)


def annealed(start_frac: float = 0.5) -> AnnealedSource:
    return AnnealedSource(small.source(), second(), start_frac)


class Run:
    """What the loop tells a source, without a model."""

    def __init__(self, steps: int) -> None:
        self.tokens, self.total_tokens, self.cursor = 0, steps * BATCH_TOKENS, None

    def batches(self, source: AnnealedSource) -> Iterator[Batch]:
        source.follow(lambda: (self.tokens, self.total_tokens))
        for batch in source.batches(self.cursor):
            self.tokens += batch.num_tokens
            self.cursor: Any = batch.cursor
            yield batch


def is_second(batch: Batch) -> bool:
    texts = batch.ids_BT[batch.ids_BT >= small.FIRST]
    found = {bool(x >= small.FIRST + SHIFT) for x in texts}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(("start_frac", "steps", "main"), [(0.5, 10, 5), (0.45, 10, 5), (0.4, 10, 4), (0.99, 10, 10)])
def test_the_border_is_the_first_batch_after_the_share(start_frac: float, steps: int, main: int) -> None:
    """With ten batches, .45 of the run lies inside the fifth: that one is still of the main mix."""
    run = Run(steps)
    batches = list(islice(run.batches(annealed(start_frac)), steps))
    assert [is_second(b) for b in batches] == [False] * main + [True] * (steps - main)
    assert {b.cursor.get("from_tokens") for b in batches[main:]} <= {main * BATCH_TOKENS}


def test_the_phases_are_the_two_sources_themselves() -> None:
    found = list(islice(Run(10).batches(annealed()), 10))
    wanted = [*islice(small.source().batches(None), 5), *islice(second().batches(None), 5)]
    for one, other in zip(found, wanted, strict=True):
        assert torch.equal(one.ids_BT, other.ids_BT) and one.cursor["at"] == other.cursor


def test_any_cursor_goes_on_exactly() -> None:
    straight = list(islice(Run(12).batches(annealed()), 12))
    for at in range(11):
        run = Run(12)
        run.tokens, run.cursor = (at + 1) * BATCH_TOKENS, straight[at].cursor
        for batch, other in zip(run.batches(annealed()), straight[at + 1 :], strict=False):
            assert torch.equal(batch.ids_BT, other.ids_BT) and batch.cursor == other.cursor


def test_a_new_plan_moves_the_border() -> None:
    run = Run(10)
    stream = run.batches(annealed())
    assert not any(is_second(b) for b in islice(stream, 3))
    run.total_tokens = 6 * BATCH_TOKENS
    assert is_second(next(stream))


def test_without_a_loop_it_stays_with_the_main_mix() -> None:
    assert isinstance(annealed(), Paced) and not isinstance(small.source(), Paced)
    assert not any(is_second(b) for b in islice(annealed(0.1).batches(None), 20))


def test_fill_by_parts() -> None:
    one, two = small.source().first_rows(), second().first_rows()
    part = Fill(0.7 * one.padding_frac + 0.3 * two.padding_frac, 0.7 * one.context_tokens + 0.3 * two.context_tokens)
    assert annealed(0.7).first_rows() == part and one != two


def train(folder: Path, stop_at: int | None = None, steps: int = 12) -> tuple[torch.Tensor, State | None]:
    model = small.model(vocab_size=64)
    job = Job(model, annealed(0.5), NextToken(), steps * BATCH_TOKENS, small.settings(log_steps=3))
    state = None
    if stop_at is None:
        state = fit(job, small.out(folder))
    else:
        stopping = Stop()
        one = Fit(job, small.out(folder), stopping)
        step = one.step

        def counting(batch: Any) -> tuple[float, float]:
            stopping.asked = one.state.step + 1 == stop_at
            return step(batch)

        one.step = counting  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            one.run()
    return torch.cat([p.detach().flatten() for p in model.parameters()]), state


def test_halves_are_the_whole_across_the_border(tmp_path: Path) -> None:
    """Stopped just before, at and after the switch (step 6): the same bits, records and border."""
    straight, state = train(tmp_path / "straight")
    assert state is not None and state.cursor is not None and state.cursor["from_tokens"] == 6 * BATCH_TOKENS
    for stop_at in (3, 5, 6, 7, 11):
        train(tmp_path / f"{stop_at}", stop_at=stop_at)
        found, again = train(tmp_path / f"{stop_at}")
        assert torch.equal(found, straight) and again is not None and again.cursor == state.cursor
        records = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("straight", str(stop_at))]
        assert records[0] == records[1]


def test_a_kill_after_the_switch_goes_back_before_it(tmp_path: Path) -> None:
    """What a kill loses may hold the border: a state saved before it, records written after it."""
    straight, _ = train(tmp_path / "straight")
    train(tmp_path / "killed", stop_at=4)
    shutil.copytree(tmp_path / "killed/.resume", tmp_path / "old")
    train(tmp_path / "killed", stop_at=9)
    shutil.rmtree(tmp_path / "killed/.resume")
    (tmp_path / "old").rename(tmp_path / "killed/.resume")
    assert torch.equal(train(tmp_path / "killed")[0], straight)
    records = [(tmp_path / name / "metrics.jsonl").read_bytes() for name in ("straight", "killed")]
    assert records[0] == records[1]


def test_two_tokenizers_are_refused(tmp_path: Path) -> None:
    one, two = small.tokens_artifact(tmp_path / "one"), small.tokens_artifact(tmp_path / "two")
    check_tokenizers(one, two)
    file = two.path / "tokenizer/tokenizer.json"
    file.write_text(file.read_text() + " ")
    with pytest.raises(DataError, match="different tokenizers"):
        check_tokenizers(one, Artifact(two.path, two.manifest))

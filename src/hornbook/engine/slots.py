"""Continuous batching: requests take a slot, one step writes one token for all, finished ones leave at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from hornbook.compute.threads import LiveThreads
from hornbook.engine.interface import Completion, Delta, FinishReason, Request, check_room
from hornbook.engine.sampling import draw, is_greedy, likeliest, random_numbers
from hornbook.engine.step import StepResult, batch_bucket, window_bucket
from hornbook.engine.text import TextStream
from hornbook.model.kv_cache import KVCache

if TYPE_CHECKING:
    from hornbook.engine.local import LocalModel


@dataclass(eq=False)
class Row:
    """A request while it is being answered."""

    request: Request
    text: TextStream
    stop_ids: frozenset[int]
    max_tokens: int
    on_delta: Callable[[Delta], None] | None = None
    ids: list[int] = field(default_factory=list)
    logps: list[float] = field(default_factory=list)
    top: list[dict[int, float]] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    finish_reason: FinishReason | None = None
    cancelled: bool = False
    prompt_logits: torch.Tensor | None = None

    def __post_init__(self) -> None:
        self.random = random_numbers(self.request)

    @property
    def position(self) -> int:
        """Where the last token drawn will be stored."""
        return len(self.request.ids) + len(self.ids) - 1

    def take(self, token: int, logp: float, top: dict[int, float] | None) -> Delta:
        """Add a token; the piece of text that is certain now."""
        self.ids.append(token)
        self.logps.append(logp)
        if top is not None:
            self.top.append(top)
        ends = token in self.stop_ids
        text = "" if ends else self.text.push(token)
        if ends or self.text.stopped:
            self.finish_reason = "stop"
        elif len(self.ids) >= self.max_tokens:
            self.finish_reason = "length"
        if self.finish_reason is not None:
            text += self.text.finish()
            if self.text.stopped:  # the last bytes may complete a stop text
                self.finish_reason = "stop"
        self.pieces.append(text)
        return Delta(text, [token], [logp], None if top is None else [top], self.finish_reason)

    def end(self, reason: FinishReason) -> Delta:
        """Finish without another token."""
        self.finish_reason = reason
        text = self.text.finish()
        self.pieces.append(text)
        return Delta(text, [], [], None if self.request.num_logprobs is None else [], reason)

    def completion(self) -> Completion:
        """Everything that was written."""
        top = None if self.request.num_logprobs is None else self.top
        return Completion(tuple(self.ids), "".join(self.pieces), self.logps, top, self.finish_reason or "error")


class Slots:
    """A cache with a place for each of several requests, and the step that serves them all.

    Active rows are kept together at the front: the last one moves into a gap. `fixed_rows`: pad every step to so many
    rows instead of the smallest bucket, so that a row's text cannot depend on how long its neighbours' answers are.
    """

    def __init__(
        self,
        model: "LocalModel",
        num_slots: int,
        *,
        fixed_rows: int | None = None,
        background: bool = False,
        cache: KVCache | None = None,
    ) -> None:
        """`background`: for many readers over a long time, see `Steps`; memory is taken now. `cache`: one to reuse."""
        self.model = model
        self.num_slots = num_slots
        self.fixed_rows = fixed_rows
        self.background = background
        self.active: list[Row] = []
        rows = batch_bucket(num_slots)
        self.cache = cache or KVCache.empty(
            model.settings, rows, model.context_tokens, model.cache_dtype, model.device, take_memory=background
        )
        self._windows: dict[tuple[int, int], KVCache] = {}
        self._threads = LiveThreads(1 if model.device.type != "cpu" else None) if background else None

    @property
    def num_free(self) -> int:
        """How many more requests can be admitted."""
        return self.num_slots - len(self.active)

    def row(self, request: Request, on_delta: Callable[[Delta], None] | None = None) -> Row:
        """A request made ready. Raises ContextTooLong when the prompt leaves no room."""
        check_room(len(request.ids), self.model.context_tokens)
        self.model.check_ids(request.ids)
        own = () if request.ignore_eos else self.model.stop_ids
        room_tokens = self.model.context_tokens - len(request.ids)
        text = TextStream(self.model.text_bytes, request.stop)
        stop_ids = frozenset((*own, *request.stop_ids))
        return Row(request, text, stop_ids, min(request.max_tokens, room_tokens), on_delta)

    def admit(self, row: Row) -> Delta:
        """Read a prompt into a free slot and draw the first token; a row that finishes with it takes no slot.

        Every prompt is read alone and at its own length, so that its numbers do not depend on who else came. A prompt
        that an active row also has is copied instead.
        """
        if row.max_tokens == 0:
            return row.end("length")
        slot = len(self.active)
        twin = next((index for index, other in enumerate(self.active) if other.request.ids == row.request.ids), None)
        if twin is None:
            row.prompt_logits = self.model.read_prompt(row.request.ids, self.cache, slot)
        else:
            self.cache.copy_row(twin, slot, len(row.request.ids))
            row.prompt_logits = self.active[twin].prompt_logits
        logits_BV = row.prompt_logits
        if logits_BV is None:
            raise RuntimeError("an active row keeps the logits of its prompt")
        delta = self._take([row], logits_BV, logits_BV.logsumexp(dim=-1), logits_BV.argmax(dim=-1))[0]
        if row.finish_reason is None:
            self.active.append(row)
        return delta

    def step(self) -> list[tuple[Row, Delta]]:
        """Write one token for every active row; rows that are finished leave."""
        rows = list(self.active)
        if not rows:
            return []
        size = self.fixed_rows or batch_bucket(len(rows))
        padding = [0] * (size - len(rows))
        ids_B = torch.tensor([row.ids[-1] for row in rows] + padding, device=self.model.device)
        positions_B = torch.tensor([row.position for row in rows] + padding, device=self.model.device)
        window = self._window(size, max(row.position for row in rows) + 1)
        logits_BV, lse_B, best_B = self._run(ids_B, positions_B, window)
        deltas = self._take(rows, logits_BV, lse_B, best_B)
        self.drop(row for row in rows if row.finish_reason is not None)
        return list(zip(rows, deltas, strict=True))

    def drop(self, rows: Iterable[Row]) -> None:
        """Take rows out; the last active row moves into each gap."""
        for row in list(rows):
            slot, last = self.active.index(row), len(self.active) - 1
            if slot != last:
                self.cache.copy_row(last, slot, self.active[last].position + 1)
                self.active[slot] = self.active[last]
            self.active.pop()

    def warm_up(self, num_tokens: int, num_rows: int | None = None) -> None:
        """Compile the step for rows of up to so many tokens."""
        rows = self.fixed_rows or batch_bucket(num_rows or self.num_slots)
        size = window_bucket(1, self.cache.num_tokens)
        while True:
            self.model.steps.warm_up(self._window(rows, size))
            if size >= min(num_tokens, self.cache.num_tokens):
                return
            size = window_bucket(size + 1, self.cache.num_tokens)

    def _window(self, num_rows: int, num_tokens: int) -> KVCache:
        shape = (num_rows, window_bucket(num_tokens, self.cache.num_tokens))
        if shape not in self._windows:
            self._windows[shape] = self.cache.window(0, *shape)
        return self._windows[shape]

    def _run(self, ids_B: torch.Tensor, positions_B: torch.Tensor, window: KVCache) -> StepResult:
        def step() -> StepResult:
            return self.model.steps.run(ids_B, positions_B, window, self.background)

        return step() if self._threads is None else self._threads.run((window.num_rows, window.num_tokens), step)

    def _take(self, rows: list[Row], logits_BV: torch.Tensor, lse_B: torch.Tensor, best_B: torch.Tensor) -> list[Delta]:
        """Choose a token for each row and add it."""
        ids, lses = best_B.tolist(), lse_B.tolist()
        drawn = [index for index, row in enumerate(rows) if not is_greedy(row.request)]
        if drawn:
            uniforms = [rows[index].random.random() for index in drawn]
            chosen = draw(logits_BV[drawn], [rows[index].request for index in drawn], uniforms)
            for index, token in zip(drawn, chosen, strict=True):
                ids[index] = token
        ids_N1 = torch.tensor(ids[: len(rows)], device=logits_BV.device)[:, None]
        picked = logits_BV[: len(rows)].gather(1, ids_N1)[:, 0].tolist()
        deltas = []
        for index, row in enumerate(rows):
            num = row.request.num_logprobs
            top = None if num is None else likeliest(logits_BV[index], lses[index], num)
            deltas.append(row.take(ids[index], picked[index] - lses[index], top))
        return deltas

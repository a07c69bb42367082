"""A model in this process: reading prompts, writing answers, scoring texts."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.compute.dtype import compute_dtype
from hornbook.core.errors import EngineError
from hornbook.core.recipe import Machine
from hornbook.engine import scoring
from hornbook.engine.interface import Completion, Request
from hornbook.engine.slots import Slots
from hornbook.engine.step import Steps, batch_bucket
from hornbook.model.decoder import Decoder
from hornbook.model.kv_cache import KVCache
from hornbook.tokenizer.tokenizer import Tokenizer

COMPILE_FROM_TOKENS = 50_000
"""A batch asking for more tokens than this is worth compiling for (a cold compile takes 15-25 s per shape)."""


def load(
    folder: Path | str,
    *,
    dtype: torch.dtype | None = None,
    num_slots: int = 16,
    compiled: bool = True,
    device: torch.device | str = "cpu",
    cache: Path | None = None,
) -> "LocalModel":
    """The model of a checkpoint folder, ready to use.

    `dtype`: number format of generation, None = what suits the machine; scores are always fp32. `num_slots`: most
    requests answered at a time. `compiled`: compile decode steps where there is a C++ compiler;
    the code is kept in `cache` (the user's cache folder when None).
    """
    folder = Path(folder)
    model = checkpoint.load(folder, device)
    return LocalModel(
        model,
        Tokenizer.load(folder),
        stop_ids=checkpoint.stop_ids(folder),
        dtype=dtype or compute_dtype(torch.device(device)),
        num_slots=num_slots,
        compiled=compiled,
        cache=cache,
    )


class LocalModel:
    """A language model in this process (`engine.interface.LanguageModel`)."""

    def __init__(
        self,
        model: Decoder,
        tokenizer: Tokenizer,
        *,
        stop_ids: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
        num_slots: int = 16,
        compiled: bool = True,
        cache: Path | None = None,
    ) -> None:
        self.model = model.eval().requires_grad_(False)
        self.model.compute_dtype = torch.promote_types(model.embedding.dtype, torch.float32)
        self.tokenizer = tokenizer
        self.settings = model.settings
        self.context_tokens = model.settings.max_tokens
        self.dtype = dtype
        self.device = model.embedding.device
        self.cache_dtype = dtype
        self.num_slots = num_slots
        self.stop_ids = frozenset(stop_ids or (tokenizer.eos_id, tokenizer.end_of_turn_id))
        self._writer = self.model if dtype == self.model.embedding.dtype else _copy_for(self.model, dtype)
        self.steps = Steps(self._writer, compiled, cache or Machine().cache_folder / "engine")
        self.lock = threading.RLock()
        self._spare_cache: KVCache | None = None

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """Answer every request, as many at a time as there are slots; answers in the order of the requests.

        Steps are padded to one number of rows from the first to the last, so that a request's text depends on that
        number and not on its neighbours. Raises EngineError before anything is written when a request cannot be met.
        """
        size = batch_bucket(min(self.num_slots, max(1, len(requests))))
        slots = Slots(self, min(size, self.num_slots), fixed_rows=size, cache=self._take_cache(size))
        rows = [slots.row(request) for request in requests]
        longest = max((len(row.request.ids) + row.max_tokens for row in rows), default=0)
        if sum(row.max_tokens for row in rows) >= COMPILE_FROM_TOKENS:
            slots.warm_up(longest)
        waiting = list(reversed(rows))
        while waiting or slots.active:
            with self.lock:
                while waiting and slots.num_free:
                    slots.admit(waiting.pop())
                slots.step()
        self._spare_cache = slots.cache
        return [row.completion() for row in rows]

    def _take_cache(self, num_rows: int) -> KVCache | None:
        """The cache of an earlier batch, if it is large enough: memory that was written before is faster to write."""
        spare, self._spare_cache = self._spare_cache, None
        return spare if spare is not None and spare.num_rows >= num_rows else None

    def score(self, ids: Sequence[Sequence[int]]) -> list[numpy.ndarray]:
        """Log-probability (nats, fp32) of each token given those before: n - 1 numbers for n ids."""
        with self.lock:
            return scoring.log_probabilities(self.model, ids)

    def score_with_top(self, ids: Sequence[Sequence[int]], num_top: int) -> list[list[scoring.TokenScore]]:
        """The same with the `num_top` likeliest ids at every place."""
        with self.lock:
            return scoring.score(self.model, ids, num_top)

    @torch.no_grad()
    def refresh(self, model: Any) -> None:
        """Take over the weights of a decoder of the same sizes; compiled steps read the new ones."""
        if model.settings != self.settings:
            raise EngineError("the new weights belong to a model of other sizes", where="refresh of a model in use")
        with self.lock:
            targets = [self.model] if self._writer is self.model else [self.model, self._writer]
            for target in targets:
                for weight, fresh in zip(target.parameters(), model.parameters(), strict=True):
                    weight.copy_(fresh)
            self.steps.weights_changed()
            self._spare_cache = None  # keys and values that were not finite would outlive the weights that made them

    @torch.inference_mode()
    def read_prompt(self, ids: Sequence[int], cache: KVCache, slot: int) -> torch.Tensor:
        """Store a prompt in a row of the cache; logits (1, V) of what comes next."""
        ids_BT = torch.tensor([ids], device=self.device)
        positions_BT = torch.arange(len(ids), device=self.device)[None]
        window = cache.window(slot, 1, len(ids), fresh=True)
        x_BTD = self._writer.hidden(ids_BT, positions_BT, cache=window)
        return self._writer.unembed(x_BTD[:, -1])

    def text_bytes(self, token: int) -> bytes:
        """What a token adds to the text: nothing if it is special."""
        return b"" if self.tokenizer.is_special(token) else self.tokenizer.token_bytes(token)

    def check_ids(self, ids: Sequence[int]) -> None:
        """Raises EngineError for ids that the model has no row for."""
        wrong = [index for index in ids if not 0 <= index < self.settings.vocab_size]
        if wrong:
            found = f"token id {wrong[0]} is outside the vocabulary of {self.settings.vocab_size:,}"
            raise EngineError(found, where="a request to the engine")


def _copy_for(model: Decoder, dtype: torch.dtype) -> Decoder:
    """The same model with its matrices in another format; gains stay as they are."""
    copy = Decoder(model.settings, compute_dtype=dtype, seed=None)
    for weight, source in zip(copy.parameters(), model.parameters(), strict=True):
        weight.data = source.detach().to(dtype if weight.dim() == 2 else source.dtype).clone()
    return copy.to(model.embedding.device).eval().requires_grad_(False)

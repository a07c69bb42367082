"""One decode step for a batch of rows: which fixed shapes there are, and compiling them."""

import threading
import types
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch

from hornbook.compute.compile import can_compile, compiled
from hornbook.model.decoder import Decoder
from hornbook.model.kv_cache import KVCache

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
FIRST_WINDOW_TOKENS = 128
COMPILE_AFTER_STEPS = 100
"""Eager steps in one shape before it is worth some 20 s of a core: shapes that come once are never compiled."""

StepResult = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def batch_bucket(num_rows: int) -> int:
    """Rows that a batch is padded to."""
    for size in BATCH_SIZES:
        if num_rows <= size:
            return size
    return -(-num_rows // BATCH_SIZES[-1]) * BATCH_SIZES[-1]


def window_bucket(num_tokens: int, most_tokens: int) -> int:
    """Places of the cache that a step looks at: 128, 192, 256, 384, 512 ... and at most the cache's own length."""
    size = FIRST_WINDOW_TOKENS
    while size < num_tokens:
        size += size // 2 if size & (size - 1) == 0 else size // 3
    return min(size, most_tokens)


def decode(
    model: Decoder,
    ids_B: torch.Tensor,
    positions_B: torch.Tensor,
    k: tuple[torch.Tensor, ...],
    v: tuple[torch.Tensor, ...],
) -> StepResult:
    """Store one token per row and look one ahead: logits_BV, their log-sum-exp and the likeliest id."""
    x_BTD = model.hidden(ids_B[:, None], positions_B[:, None], cache=KVCache(k, v))
    logits_BV = model.unembed(x_BTD)[:, 0]
    return logits_BV, logits_BV.logsumexp(dim=-1), logits_BV.argmax(dim=-1)


class Steps:
    """Decode steps by shape: compiled where that is asked for and possible, eager otherwise.

    `background`: a shape that keeps coming is compiled in a thread of its own and runs eagerly until that is done, so
    that an answer never waits for the compiler. Without it nothing is compiled but by `warm_up`. Weights are packed
    into the compiled code (frozen) until they change for the first time.
    """

    def __init__(self, model: Decoder, compile_steps: bool, cache: Path) -> None:
        """`cache`: folder where compiled code is kept."""
        self.model = model
        self.compiles = compile_steps and can_compile()
        self._cache = cache
        self._frozen = True
        self._ready: dict[tuple[int, int], Callable[..., StepResult]] = {}
        self._seen: Counter[tuple[int, int]] = Counter()
        self._lock = threading.Lock()

    def weights_changed(self) -> None:
        """Forget steps that hold packed weights; those compiled from now on read the model's."""
        with self._lock:
            if self._frozen:
                self._ready, self._seen, self._frozen = {}, Counter(), False

    @torch.inference_mode()
    def run(self, ids_B: torch.Tensor, positions_B: torch.Tensor, window: KVCache, background: bool) -> StepResult:
        """One step in the shape of `window`."""
        shape = (window.num_rows, window.num_tokens)
        step = self._ready.get(shape)
        if step is not None:
            return step(self.model, ids_B, positions_B, window.k, window.v)
        if background and self.compiles:
            self._seen[shape] += 1
            if self._seen[shape] == COMPILE_AFTER_STEPS:
                threading.Thread(target=self._compile_quietly, args=(shape, window), daemon=True).start()
        return decode(self.model, ids_B, positions_B, window.k, window.v)

    def warm_up(self, window: KVCache) -> None:
        """Compile one shape now."""
        shape = (window.num_rows, window.num_tokens)
        if self.compiles and shape not in self._ready:
            self._compile(shape, window)

    @torch.inference_mode(False)
    def _compile(self, shape: tuple[int, int], window: KVCache) -> None:
        """Compile on memory of the same shape and strides, so that no reader's cache is touched."""
        from torch._inductor import config as inductor_options  # takes a second to import

        with self._lock:
            step = compiled(_own_copy(decode), self._cache, same_model=True)
            k, v = (
                tuple(torch.empty_strided(x.shape, x.stride(), dtype=x.dtype, device=x.device).zero_() for x in layers)
                for layers in (window.k, window.v)
            )
            ids_B, positions_B = (torch.zeros(shape[0], dtype=torch.long, device=k[0].device) for _ in range(2))
            packed = self._frozen and shape[0] > 1  # the loops over one row read weights as they are
            with inductor_options.patch(freezing=packed, realize_acc_reads_threshold=2), torch.inference_mode():
                step(self.model, ids_B, positions_B, k, v)
            self._ready[shape] = step

    def _compile_quietly(self, shape: tuple[int, int], window: KVCache) -> None:
        """A shape that does not compile stays eager: slower, never wrong."""
        try:
            self._compile(shape, window)
        except Exception:  # noqa: BLE001 - compilers fail in many ways
            self.compiles = False


def _own_copy(function: Callable[..., StepResult]) -> Callable[..., StepResult]:
    """The function with a code object of its own: torch keeps compiled versions, at most 8, by code object."""
    return types.FunctionType(function.__code__.replace(), function.__globals__, function.__name__)

"""One decode step for a batch of rows: which fixed shapes there are, and compiling them."""

import shutil
import threading
from collections.abc import Callable
from typing import Any

import torch

from hornbook.model.decoder import Decoder
from hornbook.model.kv_cache import KVCache

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
FIRST_WINDOW_TOKENS = 128

StepResult = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def batch_bucket(num_rows: int) -> int:
    """Rows that a batch is padded to."""
    for size in BATCH_SIZES:
        if num_rows <= size:
            return size
    return -(-num_rows // BATCH_SIZES[-1]) * BATCH_SIZES[-1]


def window_bucket(num_tokens: int, most_tokens: int) -> int:
    """Places of the cache that a step looks at: a power of two, at most the cache's own length."""
    size = FIRST_WINDOW_TOKENS
    while size < num_tokens:
        size *= 2
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

    `background`: a shape that was never seen is compiled in a thread of its own and runs eagerly until that is done,
    so that an answer never waits for the compiler. Without it nothing is compiled but by `warm_up`.
    """

    def __init__(self, model: Decoder, compiled: bool) -> None:
        self.model = model
        self.compiled = compiled and can_compile()
        self._ready: dict[tuple[int, int], Callable[..., StepResult]] = {}
        self._asked: set[tuple[int, int]] = set()
        self._lock = threading.Lock()

    @torch.inference_mode()
    def run(self, ids_B: torch.Tensor, positions_B: torch.Tensor, window: KVCache, background: bool) -> StepResult:
        """One step in the shape of `window`."""
        shape = (window.num_rows, window.num_tokens)
        step = self._ready.get(shape)
        if step is not None:
            return step(self.model, ids_B, positions_B, window.k, window.v)
        if background and self.compiled and shape not in self._asked:
            self._asked.add(shape)
            thread = threading.Thread(target=self._compile_quietly, args=(shape, window), daemon=True)
            thread.start()
        return decode(self.model, ids_B, positions_B, window.k, window.v)

    def warm_up(self, window: KVCache) -> None:
        """Compile one shape now."""
        shape = (window.num_rows, window.num_tokens)
        if self.compiled and shape not in self._ready:
            self._asked.add(shape)
            self._compile(shape, window)

    @torch.inference_mode()
    def _compile(self, shape: tuple[int, int], window: KVCache) -> None:
        """Compile on memory of the same shape and strides, so that no reader's cache is touched."""
        with self._lock:
            step: Any = torch.compile(decode, dynamic=False, fullgraph=True)
            k, v = (
                [torch.empty_strided(x.shape, x.stride(), dtype=x.dtype).zero_() for x in layers]
                for layers in (window.k, window.v)
            )
            ids_B = torch.zeros(shape[0], dtype=torch.long)
            step(self.model, ids_B, ids_B, tuple(k), tuple(v))
            self._ready[shape] = step

    def _compile_quietly(self, shape: tuple[int, int], window: KVCache) -> None:
        """A shape that does not compile stays eager: slower, never wrong."""
        try:
            self._compile(shape, window)
        except Exception:  # noqa: BLE001 - compilers fail in many ways
            self.compiled = False


def can_compile() -> bool:
    """Whether there is a C++ compiler for torch to use."""
    return any(shutil.which(name) for name in ("g++", "clang++", "c++"))

"""From what a client asked to what the engine does."""

from collections.abc import Sequence

from hornbook.core.seed import key
from hornbook.engine.interface import Request as EngineRequest
from hornbook.serve.requests import Sampling
from hornbook.serve.served import Codec

SEED_MASK = 2**63 - 1


def engine_requests(
    prompts: Sequence[list[int]],
    num_choices: int,
    max_tokens: Sequence[int],
    sampling: Sampling,
    stop_ids: tuple[int, ...],
) -> list[EngineRequest]:
    """One engine request per text: every prompt `num_choices` times, in order.

    With a seed, the first text of a request is sampled as it would be alone; the others have seeds of their own.
    """
    return [
        EngineRequest(
            ids=tuple(ids),
            max_tokens=room_tokens,
            temperature=sampling.temperature,
            top_k=sampling.top_k,
            top_p=sampling.top_p,
            min_p=sampling.min_p,
            seed=choice_seed(sampling.seed, position * num_choices + choice),
            stop=sampling.stop,
            num_logprobs=sampling.num_logprobs,
            stop_ids=tuple(dict.fromkeys((*stop_ids, *sampling.stop_ids))),
        )
        for position, (ids, room_tokens) in enumerate(zip(prompts, max_tokens, strict=True))
        for choice in range(num_choices)
    ]


def choice_seed(seed: int | None, index: int) -> int | None:
    """The seed of one text of a request."""
    if seed is None:
        return None
    return (seed if index == 0 else key(seed, "serve.choice", index)) & SEED_MASK


def turn_ends(codec: Codec) -> tuple[int, ...]:
    """Tokens that end the assistant's turn."""
    return tuple(token for token in (codec.end_of_turn_id, codec.eos_id) if token is not None)


def text_ends(codec: Codec) -> tuple[int, ...]:
    """Tokens that end a plain text."""
    return () if codec.eos_id is None else (codec.eos_id,)

"""What the model writes while it learns: the same prompts and seeds at every validation."""

import copy
from collections.abc import Sequence

from hornbook.core.seed import key
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel
from hornbook.model.decoder import Decoder
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.train.loop import Measure
from hornbook.train.objective import Surprise


def sampler(
    model: Decoder, tokenizer: Tokenizer, prompts: Sequence[str], *, max_tokens: int, temperature: float, seed: int
) -> Measure:
    """A function that goes on from every prompt (after BOS), on a copy of the model in fp32.

    Its records are {"samples": [{"prompt", "text"}, ...]}.
    """

    def measure(surprise: Surprise) -> dict[str, list[dict[str, str]]]:
        writer = LocalModel(copy.deepcopy(model), tokenizer, num_slots=len(prompts), compiled=False)
        requests = [
            Request(
                ids=(tokenizer.bos_id, *tokenizer.encode(prompt)),
                max_tokens=max_tokens,
                temperature=temperature,
                seed=key(seed, "pretrain.samples", number) % 2**31,
            )
            for number, prompt in enumerate(prompts)
        ]
        written = writer.generate(requests)
        return {"samples": [{"prompt": p, "text": c.text} for p, c in zip(prompts, written, strict=True)]}

    return measure

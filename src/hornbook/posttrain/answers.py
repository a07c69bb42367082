"""What the model answers while it is fine-tuned: the same kept-out questions and seeds at every validation."""

import copy
from collections.abc import Sequence

from hornbook.core.conversation import Conversation, Message
from hornbook.core.seed import key
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel
from hornbook.model.decoder import Decoder
from hornbook.tokenizer.chat import render
from hornbook.tokenizer.tokenizer import Tokenizer
from hornbook.train.loop import Measure
from hornbook.train.objective import Surprise

NUM_QUESTIONS = 3
TEMPERATURE = 0.7


def answerer(
    model: Decoder, tokenizer: Tokenizer, conversations: Sequence[Conversation], *, max_tokens: int, seed: int
) -> Measure:
    """A function that answers the first questions of a few conversations, on a copy of the model in fp32.

    Its records are {"samples": [{"prompt", "text", "wanted"}, ...]}. Questions that leave no room are passed over.
    """
    questions = [found for c in conversations if (found := _question(c)) is not None]
    rendered = [
        (question, wanted, tuple(_ids(question, tokenizer))) for question, wanted in questions[: 4 * NUM_QUESTIONS]
    ]
    fitting = [item for item in rendered if len(item[2]) + max_tokens <= model.settings.max_tokens][:NUM_QUESTIONS]
    requests = [
        Request(ids, max_tokens, temperature=TEMPERATURE, seed=key(seed, "posttrain.answers", number) % 2**31)
        for number, (_, _, ids) in enumerate(fitting)
    ]

    def measure(surprise: Surprise) -> dict[str, list[dict[str, str]]]:
        writer = LocalModel(copy.deepcopy(model), tokenizer, num_slots=max(1, len(requests)), compiled=False)
        written = writer.generate(requests)
        return {
            "samples": [
                {"prompt": question[-1].content, "text": completion.text, "wanted": wanted}
                for (question, wanted, _), completion in zip(fitting, written, strict=True)
            ]
        }

    return measure


def _question(conversation: Conversation) -> tuple[tuple[Message, ...], str] | None:
    """What comes before the assistant's first answer, and that answer; None when there is none."""
    for place, message in enumerate(conversation.messages):
        if message.role == "assistant" and place > 0:
            return conversation.messages[:place], message.content
    return None


def _ids(question: Sequence[Message], tokenizer: Tokenizer) -> list[int]:
    return render(question, tokenizer, add_generation_prompt=True).ids

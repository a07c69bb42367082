"""The special tokens: fixed before anything is learned, the same in every tokenizer we make."""

from typing import Final

PAD: Final = "<|pad|>"
BOS: Final = "<|bos|>"
EOS: Final = "<|eos|>"
START_OF_TURN: Final = "<|im_start|>"
END_OF_TURN: Final = "<|im_end|>"
TOOL_CALL: Final = ("<tool_call>", "</tool_call>")
TOOL_RESPONSE: Final = ("<tool_response>", "</tool_response>")
NUM_SPECIAL: Final = 16


def special_tokens() -> tuple[str, ...]:
    """All special tokens; a token's place is its id. BOS is not 0 (some tools take id 0 for "none").

    >>> special_tokens().index("<|bos|>"), len(special_tokens())
    (1, 16)
    """
    named = (PAD, BOS, EOS, START_OF_TURN, END_OF_TURN, *TOOL_CALL, *TOOL_RESPONSE)
    return (*named, *(f"<|reserved_{i}|>" for i in range(NUM_SPECIAL - len(named))))

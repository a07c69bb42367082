"""The special tokens are fixed."""

from hornbook.tokenizer import special


def test_every_id_is_where_the_world_expects_it() -> None:
    names = special.special_tokens()
    assert names[:5] == ("<|pad|>", "<|bos|>", "<|eos|>", "<|im_start|>", "<|im_end|>")
    assert names[5:9] == ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
    assert len(set(names)) == len(names) == special.NUM_SPECIAL == 16

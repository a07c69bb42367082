"""Bytes as characters, as every byte-level `tokenizer.json` writes them."""

from tokenizers import pre_tokenizers

from hornbook.tokenizer.bytes_alphabet import byte_characters, decode_characters, encode_bytes


def test_the_alphabet_of_tokenizers() -> None:
    assert sorted(byte_characters()) == sorted(pre_tokenizers.ByteLevel.alphabet())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    for point in range(0x3000):
        character = chr(point)
        assert level.pre_tokenize_str(character)[0][0] == encode_bytes(character.encode())


def test_there_and_back() -> None:
    everything = bytes(range(256))
    assert decode_characters(encode_bytes(everything)) == everything
    assert encode_bytes(b" a\n") == "ĠaĊ"
    assert decode_characters("日") is None

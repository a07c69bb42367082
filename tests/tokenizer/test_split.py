"""The patterns cut as their originals do."""

from typing import Any

import pytest
import regex

from hornbook.tokenizer.split import pattern

TEXT = "It's 1234 DON'T stop,\n\n  now!! café\t\tx"
CUTS = {
    "qwen2": [
        "It",
        "'s",
        " ",
        "1",
        "2",
        "3",
        "4",
        " DON",
        "'T",
        " stop",
        ",\n\n",
        " ",
        " now",
        "!!",
        " café",
        "\t",
        "\tx",
    ],
    "gpt4": ["It", "'s", " ", "123", "4", " DON", "'T", " stop", ",\n\n", " ", " now", "!!", " café", "\t", "\tx"],
    "gpt2": ["It", "'s", " 1234", " DON", "'", "T", " stop", ",", "\n\n ", " now", "!!", " café", "\t", "\t", "x"],
    "o200k": ["It's", " ", "123", "4", " DON'T", " stop", ",\n\n", " ", " now", "!!", " café", "\t", "\tx"],
    "none": [TEXT],
}


@pytest.mark.parametrize("split", CUTS)
def test_pieces_by_hand(split: Any) -> None:
    assert [found.group() for found in regex.finditer(pattern(split), TEXT)] == CUTS[split]


@pytest.mark.parametrize("split", CUTS)
def test_nothing_is_lost(split: Any, texts: Any) -> None:
    for text in texts.mixed(100_000, seed=2):
        assert "".join(found.group() for found in regex.finditer(pattern(split), text)) == text


def test_cl100k_and_gpt2_are_tiktokens_own() -> None:
    """The published patterns differ in possessive quantifiers only, which never change what matches here."""
    from tiktoken_ext import openai_public

    source = openai_public.__loader__.get_source(openai_public.__name__)  # type: ignore[union-attr]
    for piece in (r"\p{N}{1,3}", r"[^\r\n\p{L}\p{N}]?", r"\s+(?!\S)"):
        assert piece in source.replace("?+", "?") and piece in pattern("gpt4")

"""How text is cut before byte-pair merges: the published patterns, by name."""

from typing import Literal

Split = Literal["qwen2", "gpt2", "gpt4", "o200k", "none"]

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def pattern(split: Split) -> str:
    """The regular expression whose matches are the pieces that merges never cross.

    `qwen2` (single digits; what GGUF calls qwen2), `gpt2`, `gpt4` (cl100k), `o200k`, or `none` (the whole text).
    Source: the `tokenizer.json` of Qwen2, tiktoken's `openai_public.py` (cl100k_base, o200k_base, gpt2), without the
    possessive quantifiers, which only change speed.
    """
    if split == "qwen2":
        return _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    if split == "gpt2":
        return r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    if split == "gpt4":
        return (
            _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    if split == "o200k":
        word = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTIONS}?"
        capitals = rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
        return rf"{word}|{capitals}|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    return r"[\s\S]+"

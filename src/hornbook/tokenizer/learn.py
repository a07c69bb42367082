"""Stage tokenizer.learn: a byte-level BPE vocabulary from documents.

Source: Sennrich et al. 2016 (byte-pair encoding), over bytes as in GPT-2. Learned by rustbpe; the artefact is a
`tokenizer.json` that tokenizers, transformers and (through its merges) tiktoken read with the same ids.
"""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.document import read_documents
from hornbook.core.errors import DataError
from hornbook.core.seed import key
from hornbook.core.settings import StrictSettings
from hornbook.core.units import human_bytes
from hornbook.tokenizer.bytes_alphabet import encode_bytes
from hornbook.tokenizer.chat import default_template
from hornbook.tokenizer.special import BOS, END_OF_TURN, EOS, NUM_SPECIAL, PAD, special_tokens
from hornbook.tokenizer.split import Split, pattern
from hornbook.tokenizer.tokenizer import Tokenizer

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+"}
WRITES = "tokenizer"
VERSION = 2
SHOWN = (
    "Once upon a time, there were 12 little foxes. They weren't afraid!",
    "def add(a, b):\n    return a + b  # 日本語 🙂",
)


class Settings(StrictSettings):
    """How many tokens, and how text is cut before merging."""

    vocab_size: int = pydantic.Field(default=4096, ge=256 + NUM_SPECIAL)
    """Number of ids, the 16 special tokens and the 256 bytes included."""
    split: Split = "qwen2"
    """Pattern whose matches merges never cross; `qwen2` is known to GGUF, so models can be exported."""
    max_bytes: int = pydantic.Field(default=200_000_000, gt=0)
    """Text to learn from, at most; of more, a sample of documents is taken by a hash of their id."""
    max_context: int = pydantic.Field(default=2048, gt=0)
    """`model_max_length` that other tools read from the tokenizer."""


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Learn merges from the documents and write the tokenizer folder."""
    artifacts: tuple[Artifact, ...] = inputs["documents"]
    seen = Counter[str]()
    with out.log.task("learn the vocabulary", unit="docs") as task:
        ranks = learn_ranks(_texts(artifacts, settings.max_bytes, seen, task.advance), settings)
    if not seen["bytes"]:
        raise DataError("there is no text to learn a vocabulary from", do="Look at the stages before this one")
    write_folder(out.path, ranks, settings)
    tokenizer = Tokenizer.load(out.path)
    out.counts |= {"vocab_size": tokenizer.vocab_size, "docs": seen["docs"], "bytes": seen["bytes"]}
    if tokenizer.vocab_size < settings.vocab_size:
        out.log.line(f"the text has only {tokenizer.vocab_size} tokens to offer (asked for {settings.vocab_size})")


def learn_ranks(texts: Iterable[str], settings: Settings) -> dict[bytes, int]:
    """Bytes of each token -> rank; the 256 bytes come first, then merges in the order they were learned."""
    import rustbpe

    learner = rustbpe.Tokenizer()  # pyright: ignore[reportAttributeAccessIssue]
    wanted = settings.vocab_size - NUM_SPECIAL
    learner.train_from_iterator(iter(texts), wanted, pattern=pattern(settings.split))
    return {bytes(token): rank for token, rank in learner.get_mergeable_ranks()}


def write_folder(folder: Path, ranks: dict[bytes, int], settings: Settings) -> None:
    """Write `tokenizer.json`, its configuration and the chat template."""
    _tokenizer_json(ranks, settings).save(str(folder / "tokenizer.json"))
    named = {"bos_token": BOS, "eos_token": EOS, "pad_token": PAD}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": settings.max_context,
        "clean_up_tokenization_spaces": False,
        "additional_special_tokens": [END_OF_TURN],
        **named,
    }
    for name, value in (("tokenizer_config.json", config), ("special_tokens_map.json", named)):
        (folder / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "chat_template.jinja").write_text(default_template(), encoding="utf-8")


def describe(artifact: Artifact) -> "list[Block]":
    """What was learned: size, kinds and lengths of tokens, the longest, and how sentences are cut."""
    from hornbook.report.blocks import Samples, Series, Table

    tokenizer = Tokenizer.load(artifact.path)
    counts = artifact.manifest.counts
    tokens = [tokenizer.token_bytes(i) for i in range(tokenizer.vocab_size) if not tokenizer.is_special(i)]
    lengths = Counter(len(token) for token in tokens)
    longest = sorted(tokens, key=lambda token: (-len(token), token))[:12]
    rows: list[list[object]] = [
        ["ids", tokenizer.vocab_size],
        ["of them special", len(tokenizer.special)],
        ["that begin a word", sum(token.startswith(b" ") and token[1:].isalpha() for token in tokens)],
        ["that are part of a character", sum(not _is_text(token) for token in tokens)],
        ["mean bytes of a token", round(sum(map(len, tokens)) / max(1, len(tokens)), 2)],
        ["learned from", f"{counts.get('docs', 0):,} documents, {human_bytes(counts.get('bytes', 0))}"],
        ["longest tokens", "  ".join(repr(token.decode(errors="replace")) for token in longest)],
    ]
    curve = {"tokens": [(float(length), float(num)) for length, num in sorted(lengths.items())]}
    return [
        Table("Vocabulary", ["what", "value"], rows),
        Series("Lengths of tokens", "bytes", "tokens", curve),
        Samples("How text is cut", [_cut(tokenizer, text) for text in SHOWN]),
    ]


def _cut(tokenizer: Tokenizer, text: str) -> dict[str, str]:
    ids = tokenizer.encode(text)
    pieces = "|".join(tokenizer.token_bytes(i).decode(errors="replace") for i in ids)
    return {"text": text, "tokens": pieces, "bytes per token": f"{len(text.encode()) / len(ids):.2f}"}


def _is_text(token: bytes) -> bool:
    try:
        token.decode()
    except UnicodeDecodeError:
        return False
    return True


def _texts(
    artifacts: Sequence[Artifact], max_bytes: int, seen: Counter[str], advance: Callable[[int], None]
) -> Iterator[str]:
    """Texts of all documents, or of a share chosen by hash that fits into `max_bytes`."""
    total_bytes = sum(int(artifact.manifest.counts.get("bytes", 0)) for artifact in artifacts)
    limit = 2**64 * min(1.0, max_bytes / total_bytes) if total_bytes else 2**64
    for artifact in artifacts:
        for document in read_documents(artifact.path):
            num_bytes = len(document.text.encode())
            if key(0, f"tokenizer.learn/{document.id}") < limit and seen["bytes"] + num_bytes <= max_bytes:
                seen["bytes"] += num_bytes
                seen["docs"] += 1
                advance(1)
                yield document.text


def _tokenizer_json(ranks: dict[bytes, int], settings: Settings) -> Any:
    import tokenizers
    from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, processors

    special = special_tokens()
    vocabulary = {name: identity for identity, name in enumerate(special)}
    vocabulary |= {encode_bytes(token): rank + NUM_SPECIAL for token, rank in ranks.items()}
    merges = [(encode_bytes(a), encode_bytes(b)) for a, b in _merges(ranks)]
    made = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern(settings.split)), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in special])
    made.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A $B:1", special_tokens=[(BOS, special.index(BOS))]
    )
    return made


def _merges(ranks: dict[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """The pair that each learned token is merged from: what its bytes are with lower ranks alone."""
    for token, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(token) == 1:
            continue
        parts = [token[i : i + 1] for i in range(len(token))]
        while len(parts) > 2:
            joined = [ranks.get(a + b, rank) for a, b in itertools.pairwise(parts)]
            best = min(range(len(joined)), key=joined.__getitem__)
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        yield parts[0], parts[1]

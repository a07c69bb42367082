"""A tokenizer in use: text to ids and back, exactly, and content that can never become a special token."""

import itertools
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import ArtifactError, DataError
from hornbook.tokenizer.bytes_alphabet import byte_characters, decode_characters
from hornbook.tokenizer.special import BOS, END_OF_TURN, EOS, PAD

if TYPE_CHECKING:
    import tiktoken
    import tokenizers

FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")
BOS_NAMES = (BOS, "<s>", "<|begin_of_text|>", "[CLS]")
EOS_NAMES = (EOS, "</s>", "<|end_of_text|>", "<|endoftext|>", "[SEP]")
PAD_NAMES = (PAD, "<pad>", "[PAD]")
END_OF_TURN_NAMES = (END_OF_TURN, "<|eot_id|>", "<end_of_turn>", "<|end|>")
LONG_RUN_CHARS = 20_000
LONG_RUN = re.compile(rf"\s{{{LONG_RUN_CHARS},}}|\S{{{LONG_RUN_CHARS},}}")


class Tokenizer:
    """The tokenizer of a folder, ours or any Hugging Face one.

    `encode` takes content: special tokens written in it are encoded as plain characters. Byte-level BPE goes through
    tiktoken (same ids, 2-4 times faster); every other kind through tokenizers.
    """

    def __init__(self, folder: Path, data: dict[str, Any], config: dict[str, Any]) -> None:
        self.folder = folder
        self.template = _template(folder, config)
        self._data = data
        added = data.get("added_tokens") or []
        self._special = {item["content"]: item["id"] for item in added if item.get("special")}
        self._special_ids = frozenset(self._special.values())
        names = sorted(self._special, key=len, reverse=True)
        self._special_pattern = re.compile("|".join(re.escape(name) for name in names) or r"(?!)")
        vocabulary = data["model"]["vocab"]
        ids = vocabulary.values() if isinstance(vocabulary, dict) else range(len(vocabulary))
        self.vocab_size = max([*ids, *(item["id"] for item in added)]) + 1
        self.bos_token, self.eos_token = _named(config, "bos_token"), _named(config, "eos_token")
        self.eos_id = self._first((self.eos_token, *EOS_NAMES), 0)
        self.bos_id = self._first((self.bos_token, *BOS_NAMES), self.eos_id)
        self.pad_id = self._first((_named(config, "pad_token"), *PAD_NAMES), self.eos_id)
        said = self.template or END_OF_TURN
        self.end_of_turn_id = self._first([name for name in END_OF_TURN_NAMES if name in said], self.eos_id)
        self._bytes = _token_bytes(data)
        self._fast = _fast_encoder(data, self._special, self._bytes) if self._bytes else None
        self._slow = None if self._fast else _plain_encoder(data)

    @classmethod
    def load(cls, folder: Path | str) -> "Tokenizer":
        """The tokenizer of a folder that holds `tokenizer.json`. Raises ArtifactError when it cannot be read."""
        folder = Path(folder)
        file = folder / "tokenizer.json"
        if not file.exists():
            raise ArtifactError("no tokenizer is here", where=str(file), do="Give a folder with a tokenizer.json")
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            config_file = folder / "tokenizer_config.json"
            config = json.loads(config_file.read_text(encoding="utf-8")) if config_file.exists() else {}
            return cls(folder, data, config)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found = f"the tokenizer cannot be read: {type(error).__name__} {error}"
            raise ArtifactError(found, where=str(file), do="Copy or build the folder again") from None

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without BOS. Raises DataError for text that is not valid Unicode (lone surrogates)."""
        return self.encode_batch((text,))[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of several texts; the same as one at a time."""
        _check_unicode(texts)
        fast = self._fast
        if fast is None:
            return [encoding.ids for encoding in self._plain().encode_batch(list(texts), add_special_tokens=False)]
        return [
            self._encode_long(text) if len(text) >= LONG_RUN_CHARS else fast.encode_ordinary(text) for text in texts
        ]

    def encode_marked(self, text: str, spans: Sequence[tuple[int, int]]) -> tuple[list[int], list[bool]]:
        """Ids of a text, and for each whether it begins inside one of the spans of characters."""
        ids = self.encode(text)
        if not spans:
            return ids, [False] * len(ids)
        if self._fast is None:
            starts = [start for start, _ in self._plain().encode(text, add_special_tokens=False).offsets]
        else:
            spans = [(len(text[:start].encode()), len(text[:end].encode())) for start, end in spans]
            starts = list(itertools.accumulate((len(self.token_bytes(i)) for i in ids), initial=0))[:-1]
        return ids, [any(start <= at < end for start, end in spans) for at in starts]

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """The text of ids; bytes that are not UTF-8 become U+FFFD."""
        if self._bytes is None:
            return self._slow_decode(list(ids), skip_special)
        return self.decode_bytes(ids, skip_special).decode("utf-8", errors="replace")

    def decode_bytes(self, ids: Iterable[int], skip_special: bool = True) -> bytes:
        """The bytes of ids, whether or not they are UTF-8."""
        return b"".join(b"" if skip_special and self.is_special(i) else self.token_bytes(i) for i in ids)

    def token_bytes(self, identity: int) -> bytes:
        """The bytes of one token; a special token's are its name."""
        if self._bytes is None:
            return self._slow_decode([identity], skip_special=False).encode()
        return self._bytes.get(identity, b"")

    def is_special(self, identity: int) -> bool:
        """Whether an id is a special token."""
        return identity in self._special_ids

    def special_id(self, name: str) -> int:
        """The id of a special token by its name. Raises DataError when the tokenizer does not have it."""
        if name not in self._special:
            raise DataError(f"this tokenizer has no special token {name}", where=str(self.folder))
        return self._special[name]

    def segments(self, text: str) -> Iterator[tuple[str, int | None]]:
        """Rendered text cut at special tokens: (content, None) or (name, id), in order."""
        start = 0
        for match in self._special_pattern.finditer(text):
            if match.start() > start:
                yield text[start : match.start()], None
            yield match.group(), self._special[match.group()]
            start = match.end()
        if start < len(text):
            yield text[start:], None

    def copy_to(self, folder: Path) -> None:
        """Copy the files any Hugging Face tool needs."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            if (self.folder / name).exists():
                shutil.copyfile(self.folder / name, folder / name)

    @property
    def is_fast(self) -> bool:
        """Whether tiktoken does the encoding."""
        return self._fast is not None

    @property
    def special(self) -> dict[str, int]:
        """Name -> id of every special token."""
        return dict(self._special)

    def _first(self, names: Iterable[str], fallback: int) -> int:
        """The id of the first of these names that is a special token here."""
        return next((self._special[name] for name in names if name in self._special), fallback)

    def _encode_long(self, text: str) -> list[int]:
        """tiktoken panics on runs of about a million characters of one class; tokenizers takes over for such texts."""
        assert self._fast is not None
        if LONG_RUN.search(text):
            return self._plain().encode(text, add_special_tokens=False).ids
        return self._fast.encode_ordinary(text)

    def _plain(self) -> "tokenizers.Tokenizer":
        self._slow = self._slow or _plain_encoder(self._data)
        return self._slow

    def _slow_decode(self, ids: list[int], skip_special: bool) -> str:
        shown = [i for i in ids if not (skip_special and self.is_special(i))]
        return self._plain().decode(shown, skip_special_tokens=False)


def _check_unicode(texts: Iterable[str]) -> None:
    """Raises DataError for lone surrogates, which tiktoken would silently replace."""
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            found = f"the text is not valid Unicode: U+{ord(text[error.start]):04X} stands alone"
            raise DataError(found, where=f"character {error.start}", do="Clean the text first") from None


def _named(config: dict[str, Any], key: str) -> str:
    """The name of a special token, written as a string or as a table with its content; "" when there is none."""
    named = config.get(key)
    name = named.get("content") if isinstance(named, dict) else named
    return name if isinstance(name, str) else ""


def _template(folder: Path, config: dict[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8")
    template = config.get("chat_template")
    if isinstance(template, list):  # several named templates
        named = {item["name"]: item["template"] for item in template}
        template = named.get("default")
    return template if isinstance(template, str) else None


def _token_bytes(data: dict[str, Any]) -> dict[int, bytes] | None:
    """id -> bytes for byte-level BPE, None for other kinds."""
    if data["model"].get("type") != "BPE" or not _is_byte_level(data):
        return None
    places = {character: byte for byte, character in enumerate(byte_characters())}
    table = {identity: decode_characters(token, places) for token, identity in data["model"]["vocab"].items()}
    added = {item["id"]: item["content"].encode() for item in data.get("added_tokens") or []}
    if any(token is None for identity, token in table.items() if identity not in added):
        return None
    return {identity: token for identity, token in table.items() if token is not None} | added


def _is_byte_level(data: dict[str, Any]) -> bool:
    decoder = data.get("decoder") or {}
    kinds = {decoder.get("type"), *(part.get("type") for part in decoder.get("decoders", []))}
    return "ByteLevel" in kinds


def _fast_encoder(data: dict[str, Any], special: dict[str, int], table: dict[int, bytes]) -> "tiktoken.Encoding | None":
    """tiktoken with the same merges, when the merges' order is the ids' order (as in every learned BPE)."""
    import tiktoken

    split = _split_pattern(data)
    if split is None or data.get("normalizer") or len(special) != len(data.get("added_tokens") or []):
        return None
    special_ids = set(special.values())
    ranks = {token: identity for identity, token in table.items() if identity not in special_ids}
    merged = ["".join(m) if isinstance(m, list) else m.replace(" ", "") for m in data["model"]["merges"]]
    vocabulary = data["model"]["vocab"]
    order = [vocabulary[token] for token in merged]
    if order != sorted(set(order)) or len(ranks) != len(order) + 256:
        return None
    if max(ranks.values()) - min(ranks.values()) + 1 != len(ranks):
        return None
    return tiktoken.Encoding(
        name="hornbook", pat_str=split, mergeable_ranks=ranks, special_tokens=dict(special), explicit_n_vocab=None
    )


def _split_pattern(data: dict[str, Any]) -> str | None:
    """The pattern of a pre-tokenizer that is one split and then bytes; None for any other."""
    parts = (data.get("pre_tokenizer") or {}).get("pretokenizers", [])
    if [part.get("type") for part in parts] != ["Split", "ByteLevel"]:
        return None
    split, level = parts
    plain = split.get("behavior") == "Isolated" and not split.get("invert") and not level.get("add_prefix_space")
    return split["pattern"].get("Regex") if plain and not level.get("use_regex", True) else None


def _plain_encoder(data: dict[str, Any]) -> "tokenizers.Tokenizer":
    """tokenizers without its special tokens, so that content cannot produce one."""
    import tokenizers

    plain = data | {
        "added_tokens": [item for item in data.get("added_tokens") or [] if not item.get("special")],
        "post_processor": None,
        "truncation": None,
        "padding": None,
    }
    return tokenizers.Tokenizer.from_str(json.dumps(plain))

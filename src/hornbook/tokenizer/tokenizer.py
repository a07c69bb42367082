"""A tokenizer in use: text to ids and back, exactly, and content that can never become a special token."""

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
        self._special = {item["content"]: item["id"] for item in data.get("added_tokens", []) if item.get("special")}
        self._special_ids = frozenset(self._special.values())
        names = sorted(self._special, key=len, reverse=True)
        self._special_pattern = re.compile("|".join(re.escape(name) for name in names) or r"(?!)")
        vocabulary = data["model"]["vocab"]
        highest = max([*vocabulary.values(), *self._special.values()]) if isinstance(vocabulary, dict) else 0
        self.vocab_size = highest + 1 if isinstance(vocabulary, dict) else len(vocabulary)
        self.bos_id = self._role(config, "bos_token", BOS)
        self.eos_id = self._role(config, "eos_token", EOS)
        self.pad_id = self._role(config, "pad_token", PAD)
        self.end_of_turn_id = self._special.get(END_OF_TURN, self.eos_id)
        self._bytes = _token_bytes(data, self._special)
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
        except (ValueError, KeyError, TypeError) as error:
            raise ArtifactError(f"the tokenizer cannot be read: {error}", where=str(file)) from None

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without BOS. Raises DataError for text that is not valid Unicode (lone surrogates)."""
        return self.encode_batch((text,))[0]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of several texts; the same as one at a time."""
        if self._fast is None:
            return [encoding.ids for encoding in self._slow_encode(texts)]
        try:
            return [
                self._encode_long(text) if len(text) >= LONG_RUN_CHARS else self._fast.encode_ordinary(text)
                for text in texts
            ]
        except UnicodeEncodeError as error:
            raise DataError(f"the text is not valid Unicode: {error.reason}", do="Clean it first") from None

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
    def special(self) -> dict[str, int]:
        """Name -> id of every special token."""
        return dict(self._special)

    def _role(self, config: dict[str, Any], key: str, fallback: str) -> int:
        named = config.get(key)
        name = named.get("content") if isinstance(named, dict) else named
        for candidate in (name, fallback):
            if isinstance(candidate, str) and candidate in self._special:
                return self._special[candidate]
        return next(iter(self._special.values()), 0)

    def _encode_long(self, text: str) -> list[int]:
        """tiktoken panics on runs of about a million equal-class characters; tokenizers takes over for such texts."""
        assert self._fast is not None
        if LONG_RUN.search(text):
            self._slow = self._slow or _plain_encoder(self._data)
            return self._slow.encode(text, add_special_tokens=False).ids
        return self._fast.encode_ordinary(text)

    def _slow_encode(self, texts: Sequence[str]) -> list[Any]:
        assert self._slow is not None
        return self._slow.encode_batch(list(texts), add_special_tokens=False)

    def _slow_decode(self, ids: list[int], skip_special: bool) -> str:
        self._slow = self._slow or _plain_encoder(self._data)
        shown = [i for i in ids if not (skip_special and self.is_special(i))]
        return self._slow.decode(shown, skip_special_tokens=False)


def _template(folder: Path, config: dict[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8")
    template = config.get("chat_template")
    return template if isinstance(template, str) else None


def _token_bytes(data: dict[str, Any], special: dict[str, int]) -> dict[int, bytes] | None:
    """id -> bytes for byte-level BPE, None for other kinds."""
    if data["model"].get("type") != "BPE" or not _is_byte_level(data):
        return None
    places = {character: byte for byte, character in enumerate(byte_characters())}
    table = {identity: decode_characters(token, places) for token, identity in data["model"]["vocab"].items()}
    named = {identity: name.encode() for name, identity in special.items()}
    if any(token is None for identity, token in table.items() if identity not in named):
        return None
    return {identity: token for identity, token in table.items() if token is not None} | named


def _is_byte_level(data: dict[str, Any]) -> bool:
    decoder = data.get("decoder") or {}
    kinds = {decoder.get("type"), *(part.get("type") for part in decoder.get("decoders", []))}
    return "ByteLevel" in kinds


def _fast_encoder(data: dict[str, Any], special: dict[str, int], table: dict[int, bytes]) -> "tiktoken.Encoding | None":
    """tiktoken with the same merges, when the merges' order is the ids' order (as in every learned BPE)."""
    import tiktoken

    split = _split_pattern(data)
    if split is None or data.get("normalizer"):
        return None
    ranks = {token: identity for identity, token in table.items() if identity not in special.values()}
    merged = ["".join(m) if isinstance(m, list) else m.replace(" ", "") for m in data["model"]["merges"]]
    vocabulary = data["model"]["vocab"]
    order = [vocabulary[token] for token in merged]
    if order != sorted(order) or len(ranks) != len(order) + 256:
        return None
    lowest = min(ranks.values())
    if max(ranks.values()) - lowest + 1 != len(ranks):
        return None
    return tiktoken.Encoding(
        name="hornbook", pat_str=split, mergeable_ranks=ranks, special_tokens=dict(special), explicit_n_vocab=None
    )


def _split_pattern(data: dict[str, Any]) -> str | None:
    pre = data.get("pre_tokenizer") or {}
    parts = pre.get("pretokenizers", [pre])
    found = [part["pattern"].get("Regex") for part in parts if part.get("type") == "Split"]
    return found[0] if len(found) == 1 else None


def _plain_encoder(data: dict[str, Any]) -> "tokenizers.Tokenizer":
    """tokenizers without its special tokens, so that content cannot produce one."""
    import tokenizers

    special = {item["content"] for item in data.get("added_tokens", []) if item.get("special")}
    plain = data | {
        "added_tokens": [item for item in data.get("added_tokens", []) if item["content"] not in special],
        "post_processor": None,
        "truncation": None,
        "padding": None,
    }
    return tokenizers.Tokenizer.from_str(json.dumps(plain))

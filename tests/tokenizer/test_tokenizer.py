"""Text to ids and back; the same ids as tokenizers and transformers; content never becomes special."""

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers

from hornbook.core.errors import ArtifactError, DataError
from hornbook.tokenizer import learn
from hornbook.tokenizer.learn import learn_ranks, write_folder
from hornbook.tokenizer.special import special_tokens
from hornbook.tokenizer.tokenizer import Tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT)
def test_round_trip_of_all_unicode(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode_bytes(ids) == text.encode()
    assert b"".join(tokenizer.token_bytes(i) for i in ids) == text.encode()


def test_round_trip_of_every_code_point(tokenizer: Tokenizer) -> None:
    points = "".join(chr(p) for p in range(0x110000) if not 0xD800 <= p < 0xE000)
    chunks = [points[i : i + 5000] for i in range(0, len(points), 5000)]
    for chunk, ids in zip(chunks, tokenizer.encode_batch(chunks), strict=True):
        assert tokenizer.decode(ids) == chunk


@pytest.mark.parametrize("split", ["qwen2", "gpt2", "gpt4", "o200k"])
def test_tokenizers_gives_the_same_ids_on_a_megabyte(split: Any, tmp_path: Path, texts: ModuleType) -> None:
    chosen = learn.Settings(vocab_size=600, split=split)
    write_folder(tmp_path, learn_ranks(texts.stories(200), chosen), chosen)
    ours, theirs = Tokenizer.load(tmp_path), tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert ours.is_fast
    sample = texts.mixed(1_000_000 if split == "qwen2" else 150_000)
    for text, ids in zip(sample, ours.encode_batch(sample), strict=True):
        assert ids == theirs.encode(text, add_special_tokens=False).ids, repr(text)
        assert theirs.decode(ids) == text


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(" \n\r\tab'sS1é日🙂\u00a0\u2028.-")))
def test_tokenizers_gives_the_same_ids_where_spaces_meet(folder: Path, tokenizer: Tokenizer, text: str) -> None:
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode(text) == theirs.encode(text, add_special_tokens=False).ids


def test_transformers_keeps_ids_and_vocabulary(folder: Path, tokenizer: Tokenizer, texts: ModuleType) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(folder)
    assert len(theirs) == tokenizer.vocab_size == 700
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == (1, 2, 0)
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id, tokenizer.end_of_turn_id) == (1, 2, 0, 4)
    for text in texts.mixed(30_000, seed=3):
        assert theirs(text).input_ids == [tokenizer.bos_id, *tokenizer.encode(text)]
        assert theirs.decode(tokenizer.encode(text), skip_special_tokens=True) == text


@pytest.mark.parametrize("name", special_tokens())
def test_content_never_becomes_special(tokenizer: Tokenizer, name: str) -> None:
    text = f"a{name} {name}b"
    ids = tokenizer.encode(text)
    assert not any(tokenizer.is_special(i) for i in ids)
    assert tokenizer.decode(ids) == text


def test_special_ids(tokenizer: Tokenizer) -> None:
    assert [tokenizer.special_id(name) for name in special_tokens()] == list(range(16))
    assert tokenizer.decode([1, 3, *tokenizer.encode("hi"), 4]) == "hi"
    assert tokenizer.decode([1, *tokenizer.encode("hi"), 4], skip_special=False) == "<|bos|>hi<|im_end|>"
    with pytest.raises(DataError, match="no special token"):
        tokenizer.special_id("<|nothing|>")


@pytest.mark.parametrize(("piece", "count"), [(" ", 1_000_000), ("a", 300_000), ("!", 300_000), ("ab ", 100_000)])
def test_long_runs_of_one_kind(folder: Path, tokenizer: Tokenizer, piece: str, count: int) -> None:
    text = "x " + piece * count + " y"
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert ids == tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids[1:]


def test_text_that_is_not_unicode_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    for chosen in (tokenizer, _foreign(tmp_path)):
        with pytest.raises(DataError, match="not valid Unicode"):
            chosen.encode("a\ud800b")


def test_batch_is_one_by_one(tokenizer: Tokenizer, texts: ModuleType) -> None:
    sample = ["", *texts.mixed(5_000, seed=5)]
    assert tokenizer.encode_batch(sample) == [tokenizer.encode(text) for text in sample]


def test_cut_characters_become_replacement_marks(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("\U0001f9ff")
    assert len(ids) > 1
    assert tokenizer.decode(ids[:-1]).startswith("\ufffd")


def test_copy_is_the_same_tokenizer(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.copy_to(tmp_path / "copy")
    copy = Tokenizer.load(tmp_path / "copy")
    assert copy.encode("Mira said: hello!") == tokenizer.encode("Mira said: hello!")
    assert copy.template == tokenizer.template


def test_missing_and_broken_folders(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ArtifactError, match="no tokenizer is here"):
        Tokenizer.load(tmp_path)
    for broken in ("{", "[]", "{}", '{"model": 3}'):
        (tmp_path / "tokenizer.json").write_text(broken)
        with pytest.raises(ArtifactError, match="cannot be read"):
            Tokenizer.load(tmp_path)


def test_foreign_wordpieces_are_read(tmp_path: Path) -> None:
    foreign = _foreign(tmp_path)
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert not foreign.is_fast
    assert theirs.encode("A tale [SEP]").ids == [3, 4, 2]
    assert foreign.encode("A tale [SEP]") == [3, 4, 6, 0, 0]
    assert foreign.decode(foreign.encode("a tale")) == "a tale"
    assert (foreign.bos_id, foreign.eos_id, foreign.end_of_turn_id) == (1, 2, 2)


def test_added_tokens_that_are_not_special_stay_what_they_are(folder: Path, tmp_path: Path) -> None:
    """Qwen lists `<tool_call>` as added but not special: any tool gives its id, so must we."""
    shutil.copytree(folder, tmp_path / "t")
    file = tmp_path / "t" / "tokenizer.json"
    data = json.loads(file.read_text())
    for item in data["added_tokens"]:
        item["special"] = item["content"] != "<tool_call>"
    file.write_text(json.dumps(data))
    ids = Tokenizer.load(tmp_path / "t").encode("a <tool_call>b<|im_end|>")
    theirs = tokenizers.Tokenizer.from_file(str(file))
    assert 5 in ids and 4 not in ids
    assert ids[: ids.index(5) + 2] == theirs.encode("a <tool_call>b", add_special_tokens=False).ids


def test_a_normalizer_is_kept(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "t")
    theirs = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs.normalizer = normalizers.NFC()
    theirs.save(str(tmp_path / "t" / "tokenizer.json"))
    composed = Tokenizer.load(tmp_path / "t")
    assert composed.encode("e\u0301") == composed.encode("é") == theirs.encode("é", add_special_tokens=False).ids


def _foreign(path: Path) -> Tokenizer:
    """A WordPiece tokenizer with BERT's ways."""
    words = ["[UNK]", "[CLS]", "[SEP]", "a", "tale", "##s", "[", "]x"]
    made = tokenizers.Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.add_special_tokens(["[UNK]", "[CLS]", "[SEP]"])
    made.save(str(path / "tokenizer.json"))
    config = {"bos_token": "[CLS]", "eos_token": {"content": "[SEP]"}}
    (path / "tokenizer_config.json").write_text(json.dumps(config))
    return Tokenizer.load(path)

"""A small decoder whose every weight matters, and a tokenizer folder of 300 ids."""

import json
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings

SPECIAL = ("<|pad|>", "<|bos|>", "<|eos|>", "<|im_start|>", "<|im_end|>")


@pytest.fixture
def model() -> Decoder:
    settings = ModelSettings(
        vocab_size=300, width=32, layers=2, heads=4, kv_heads=2, head_size=8, hidden=48, max_tokens=128
    )
    model = Decoder(settings)
    model.initialise(5, embedding_std=0.5, zero_projections=False)
    return model.eval()


@pytest.fixture
def tokenizer_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    names = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({name: index for index, name in enumerate(names)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|bos|>", "eos_token": "<|eos|>"}
    config |= {"pad_token": "<|pad|>", "model_max_length": 128}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    return folder

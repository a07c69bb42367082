"""Our folder in transformers: same logits, same greedy text; and transformers' folders in ours."""

import math
from pathlib import Path

import pytest
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.model.decoder import Decoder

transformers = pytest.importorskip("transformers", reason="extra dev: transformers is the oracle of this test")


@pytest.mark.parametrize(
    "changes",
    [{}, {"tied": False}, {"architecture": "llama"}, {"kv_heads": 4, "rope_theta": 777.0, "norm_eps": 1e-5}],
    ids=["qwen3", "untied", "llama", "full heads"],
)
def test_transformers_gives_the_same_logits_and_text(
    tmp_path: Path, model: Decoder, tokenizer_folder: Path, changes: dict[str, object]
) -> None:
    model = Decoder(model.settings.model_copy(update=changes))
    model.initialise(5, embedding_std=0.5, zero_projections=False)
    checkpoint.save(tmp_path / "ours", model, tokenizer_folder, card={})
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    ids_BT = torch.randint(5, 300, (3, 60), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits_BTV, oracle_BTV = model(ids_BT), theirs(ids_BT).logits
    assert oracle_BTV.dtype == torch.float32
    assert (logits_BTV - oracle_BTV).abs().max() <= 1e-4
    nats = model.token_nats(model.hidden(ids_BT[:, :-1]), ids_BT[:, 1:]).sum().item()
    oracle = torch.nn.functional.cross_entropy(oracle_BTV[:, :-1].flatten(0, 1), ids_BT[:, 1:].flatten()).item()
    assert abs(nats / 177 - oracle) / math.log(2) <= 5e-5
    told = theirs.generate(ids_BT[:1, :8], max_new_tokens=64, min_new_tokens=64, do_sample=False, eos_token_id=None)
    assert told[0].tolist() == greedy(model, ids_BT[0, :8].tolist(), 64)


def greedy(model: Decoder, ids: list[int], num_tokens: int) -> list[int]:
    with torch.no_grad():
        for _ in range(num_tokens):
            ids = [*ids, int(model(torch.tensor([ids]))[0, -1].argmax())]
    return ids


@pytest.mark.parametrize("kind", ["Qwen3", "Llama"])
def test_foreign_folders_are_read(tmp_path: Path, kind: str) -> None:
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=90,
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=64,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        rms_norm_eps=1e-5,
        tie_word_embeddings=False,
        initializer_range=0.3,
    )
    torch.manual_seed(2)
    theirs = getattr(transformers, f"{kind}ForCausalLM")(config).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    ours = checkpoint.load(tmp_path / "theirs")
    ids_BT = torch.randint(0, 90, (2, 40), generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        assert (ours(ids_BT) - theirs(ids_BT).logits).abs().max() <= 1e-4


def test_the_tokenizer_keeps_its_ids_in_transformers(tmp_path: Path, model: Decoder, tokenizer_folder: Path) -> None:
    checkpoint.save(tmp_path / "ours", model, tokenizer_folder, card={})
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    assert len(tokenizer) == 261
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") == 4
    assert tokenizer.decode(tokenizer("Hé 🙂")["input_ids"]) == "Hé 🙂"

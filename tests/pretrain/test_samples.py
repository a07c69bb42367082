from pathlib import Path

import small
import torch

from hornbook.pretrain.samples import sampler
from hornbook.tokenizer.tokenizer import Tokenizer


def test_the_same_prompts_the_same_text_and_the_model_stays_as_it_is(tmp_path: Path) -> None:
    small.byte_tokenizer(tmp_path)
    model = small.model(vocab_size=272)
    model.initialise(2, embedding_std=0.3, zero_projections=False)
    model.compute_dtype = torch.bfloat16
    model.train()
    measure = sampler(model, Tokenizer.load(tmp_path), ("", "ab"), max_tokens=6, temperature=0.7, seed=3)
    first, second = (measure(lambda i, t, s: i)["samples"] for _ in range(2))
    assert first == second and [sample["prompt"] for sample in first] == ["", "ab"]
    assert first[0]["text"] != first[1]["text"]
    assert model.training and model.compute_dtype == torch.bfloat16
    assert all(p.requires_grad for p in model.parameters())

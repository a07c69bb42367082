"""The same bits per byte from the stage as from transformers on the saved folder, to four decimals."""

import math
from pathlib import Path

import pytest
import torch

from hornbook.checkpoint import folder as checkpoint
from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.recipe import Machine
from hornbook.evaluate import generative, perplexity
from hornbook.evaluate.results import read_samples, read_scores
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings
from hornbook.tasks.example import Example, write_examples
from hornbook.tokenizer import learn

transformers = pytest.importorskip("transformers", reason="extra dev: transformers is the oracle of this test")

TEXTS = ["A fox met an owl. The owl said: hello, little fox!", "Zoë's kite 🪁 flew.\n\nFar away.", "x"]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small checkpoint with a learned tokenizer."""
    settings = learn.Settings(vocab_size=300)
    (tmp_path / "tokenizer").mkdir()
    learn.write_folder(tmp_path / "tokenizer", learn.learn_ranks(TEXTS * 20, settings), settings)
    sizes = ModelSettings(
        vocab_size=300, width=32, layers=2, heads=4, kv_heads=2, head_size=8, hidden=48, max_tokens=64
    )
    model = Decoder(sizes)
    model.initialise(5, embedding_std=0.5, zero_projections=False)
    checkpoint.save(tmp_path / "model", model, tmp_path / "tokenizer", card={})
    return tmp_path / "model"


def test_bits_per_byte_of_transformers(saved: Path, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("\n<|endoftext|>\n".join(TEXTS), encoding="utf-8")
    out = scratch_out(tmp_path / "out", machine=Machine(threads=1, device="cpu"))
    perplexity.run(
        perplexity.Settings(path=str(file), context_tokens=24), {"model": Artifact(saved, Manifest("checkpoint"))}, out
    )
    ours = {score["name"]: score["value"] for score in read_scores(out.path)["scores"]}
    text_nats, end_nats, num_tokens = _by_transformers(saved)
    num_bytes = sum(len(text.encode()) for text in TEXTS)
    assert ours["bits_per_byte"] == pytest.approx(text_nats / math.log(2) / num_bytes, abs=5e-5)
    assert ours["bits_per_byte_with_end"] == pytest.approx((text_nats + end_nats) / math.log(2) / num_bytes, abs=5e-5)
    assert ours["nats_per_token"] == pytest.approx(text_nats / num_tokens, abs=5e-5)


def _by_transformers(folder: Path) -> tuple[float, float, int]:
    """Nats of texts and of their ends, by AutoModel and AutoTokenizer alone, window by window."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text_nats = end_nats = 0.0
    num_tokens = 0
    for text in TEXTS:
        ids = [*tokenizer(text).input_ids, tokenizer.eos_token_id]
        assert ids[0] == tokenizer.bos_token_id
        num_tokens += len(ids) - 2
        costs: list[float] = []
        while len(costs) < len(ids) - 1:
            counted = len(costs) + 1  # ids that need no scoring any more
            end = min(len(ids), 24 if counted == 1 else counted + 12)
            window = torch.tensor([ids[max(0, end - 24) : end]])
            with torch.no_grad():
                logp = model(window).logits[0].double().log_softmax(-1)
            found = -logp[:-1].gather(-1, window[0, 1:, None])[:, 0]
            costs += found[-(end - counted) :].tolist()
        text_nats += sum(costs[:-1])
        end_nats += costs[-1]
    return text_nats, end_nats, num_tokens


def test_the_greedy_answers_of_transformers(saved: Path, tmp_path: Path) -> None:
    """Prompts, answers and their lowest probability are those of `apply_chat_template` and `generate`."""
    from hornbook.core.conversation import Message

    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "tasks.json").write_text(
        '{"a": {"grader": "hornbook.tasks.graders:exact", "sampling": {"max_tokens": 6}}}'
    )
    write_examples(tasks / "a.jsonl", [Example(text, (Message("user", text),), ("x",)) for text in ("A fox", "owl")])
    out = scratch_out(tmp_path / "out", machine=Machine(threads=1, device="cpu"))
    inputs = {"model": Artifact(saved, Manifest("checkpoint")), "tasks": Artifact(tasks, Manifest("tasks"))}
    generative.run(generative.Settings(), inputs, out)
    model = transformers.AutoModelForCausalLM.from_pretrained(saved, dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(saved)
    for case in read_samples(out.path):
        messages = [{"role": "user", "content": case["asked"]}]
        prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        told = model.generate(
            prompt, max_new_tokens=6, do_sample=False, output_scores=True, return_dict_in_generate=True
        )
        answer = told.sequences[0, prompt.shape[1] :]
        chances = [s[0].softmax(-1)[i].item() for s, i in zip(told.scores, answer, strict=True)]
        assert case["answer"] == tokenizer.decode(answer, skip_special_tokens=True)
        assert case["confidence"] == pytest.approx(min(chances), abs=1e-5)

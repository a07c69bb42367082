"""Small things to train on: a Markov source of known entropy, tiny models, a tokens artifact."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hornbook.core.artifact import Artifact, Manifest, Out, scratch_out
from hornbook.core.recipe import Machine
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings
from hornbook.pretrain.source import Shard, TokenSource
from hornbook.tokenizer import learn
from hornbook.train.loop import LoopSettings
from hornbook.train.optimizer import OptimizerSettings
from hornbook.train.schedule import ScheduleSettings

BOS, EOS, FIRST = 1, 2, 16
SYMBOLS = 12
END = 0.04
LIKELY = 0.8


def documents(num_docs: int, seed: int) -> tuple[list[np.ndarray], float]:
    """Documents of an order-1 source, and their exact entropy in nats per target (what the best model would pay).

    After a symbol s come s + 1 (probability .8) or s + 5 (.2), or the document ends (.04 before that choice).
    """
    rng = np.random.default_rng(seed)
    made, nats, targets = [], 0.0, 0
    for _ in range(num_docs):
        symbol = int(rng.integers(SYMBOLS))
        ids, cost = [BOS, FIRST + symbol], math.log(SYMBOLS)
        while len(ids) < 60 and rng.random() >= END:
            likely = rng.random() < LIKELY
            symbol = (symbol + (1 if likely else 5)) % SYMBOLS
            ids.append(FIRST + symbol)
            cost -= math.log((1 - END) * (LIKELY if likely else 1 - LIKELY))
        cost -= math.log(END) if len(ids) < 60 else 0.0
        ids.append(EOS)
        made.append(np.array(ids))
        nats, targets = nats + cost, targets + len(ids) - 1
    return made, nats / targets


def shard(docs: list[np.ndarray]) -> Shard:
    """Documents as a shard; every text token is one byte."""
    offsets = np.concatenate(([0], np.cumsum([len(d) for d in docs])))
    return Shard(np.concatenate(docs).astype(np.uint16), offsets, np.array([len(d) - 2 for d in docs]))


def source(num_docs: int = 200, seed: int = 3, row_tokens: int = 64, batch_rows: int = 4) -> TokenSource:
    docs, _ = documents(num_docs, seed)
    return TokenSource(shard(docs), row_tokens=row_tokens, batch_rows=batch_rows, pad_id=0, seed=7)


def sizes(**changes: Any) -> ModelSettings:
    small = {"vocab_size": 32, "width": 32, "layers": 2, "heads": 2, "kv_heads": 1, "head_size": 16, "hidden": 64}
    return ModelSettings.model_validate({**small, "max_tokens": 64, **changes})


def model(dtype: torch.dtype = torch.float32, **changes: Any) -> Decoder:
    return Decoder(sizes(**changes), compute_dtype=dtype, seed=1).to(dtype)


def settings(**changes: Any) -> LoopSettings:
    """Eager, fp32 Muon, no warm-up to speak of."""
    optimizer = OptimizerSettings(muon_fp32=True, momentum_steps=10)
    loop = {"optimizer": optimizer, "schedule": ScheduleSettings(warmup_steps=3), "compile": False}
    return LoopSettings.model_validate({**loop, **changes})


def out(folder: Path, **machine: Any) -> Out:
    return scratch_out(folder, seed=5, machine=Machine.model_validate({"threads": 1, **machine}))


def byte_tokenizer(folder: Path) -> None:
    """A tokenizer with no merges: 16 special tokens and the 256 bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    learn.write_folder(folder, {bytes([b]): b for b in range(256)}, learn.Settings(vocab_size=272))


def tokens_artifact(folder: Path, num_docs: int = 150, seed: int = 3) -> Artifact:
    """A tokens artifact of Markov documents, a tenth for validation."""
    folder.mkdir(parents=True, exist_ok=True)
    facts: dict[str, Any] = {"dtype": "uint16", "vocab_size": 272, "bos_id": BOS, "eos_id": EOS}
    for part, count in (("train", num_docs), ("validation", num_docs // 10)):
        made = shard(documents(count, seed + (part == "validation"))[0])
        made.ids.tofile(folder / f"{part}.bin")
        np.save(folder / f"{part}.offsets.npy", made.offsets)
        np.save(folder / f"{part}.bytes.npy", made.num_bytes)
        facts[part] = {"docs": count, "tokens": len(made.ids), "bytes": int(made.num_bytes.sum())}
    (folder / "tokens.json").write_text(json.dumps(facts))
    byte_tokenizer(folder / "tokenizer")
    return Artifact(folder, Manifest(kind="tokens", licences=["CC-BY-4.0"], sources=["a Markov chain"]))


def records(folder: Path, name: str = "metrics.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]

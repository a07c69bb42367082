"""Training speed of an 11M model against transformers' Trainer, side by side in one process.

    .venv/bin/python bench/train_throughput.py [--repeats 3] [--threads N] [--steps 2] [--no-record]

The same sizes (vocabulary 4096, 8 layers of width 320), rows of 512 tokens, 32 rows to an optimizer step, 8 at a time.
Hornbook: its loop as it is by default (bf16, compiled, Muon, packed documents that do not see each other). Trainer: its
defaults on a CPU (fp32, eager, AdamW, rows of running text), and bf16 with torch_compile beside it. Only real tokens
count, not padding. Sides take turns; medians count; the first step of a turn is not timed. The last line is one JSON
document, which is also written to bench/records/train_throughput.json.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from record import machine, publish

from hornbook.compute.determinism import deterministic
from hornbook.compute.dtype import compute_dtype
from hornbook.compute.probe import matmul_gflops
from hornbook.compute.threads import choose_threads
from hornbook.core.artifact import scratch_out
from hornbook.core.recipe import Machine
from hornbook.model.decoder import Decoder
from hornbook.model.presets import preset
from hornbook.model.settings import ModelSettings
from hornbook.pretrain.source import Shard, TokenSource
from hornbook.train.loop import Fit, Job, LoopSettings
from hornbook.train.objective import NextToken
from hornbook.train.stop import Stop

ROW_TOKENS, MICRO_ROWS = 512, 8
CPU = torch.device("cpu")
Turn = Callable[[int], list[float]]
"""Does so many steps and returns the tokens per second of each but the first."""


def main() -> None:
    """Measure, print a table and the JSON line."""
    options = parse_options()
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        record = run(Path(scratch), options)
    publish(record, not options.no_record)


def run(scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every side in turn; the record."""
    sizes = preset("story-10m", max_tokens=1024)
    threads = options.threads or choose_threads(lambda: matmul_gflops(torch.bfloat16, CPU))
    torch.set_num_threads(threads)
    ours, flops_per_token = our_side(sizes, scratch / "ours", options.rows, threads)
    sides: dict[str, Turn] = {
        "hornbook": ours,
        "trainer": trainer_side(sizes, scratch / "trainer", options.rows, fast=False),
    }
    if not options.no_fast_trainer:
        sides["trainer bf16 compiled"] = trainer_side(sizes, scratch / "trainer-fast", options.rows, fast=True)
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    peaks: list[float] = []
    for name, side in sides.items():  # compile and warm up
        begin = time.perf_counter()
        side(1)
        print(f"{name}: first step after {time.perf_counter() - begin:.0f} s", flush=True)
    for _ in range(options.repeats):
        for name, side in sides.items():
            peaks.append(matmul_gflops(torch.bfloat16, CPU))
            speeds[name] += side(1 + options.steps)
    return summary(speeds, peaks, flops_per_token, threads, options)


def summary(
    speeds: dict[str, list[float]], peaks: list[float], flops: float, threads: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Tokens per second of every side, the ratio to Trainer's defaults, the share of the matrix peak."""
    medians = {name: statistics.median(found) for name, found in speeds.items()}
    for name, found in speeds.items():
        spread = (max(found) - min(found)) / medians[name]
        print(f"{name:22s} {medians[name]:8.0f} tokens/s   spread {spread:.0%}")
    peak = statistics.median(peaks)
    frac = medians["hornbook"] * flops / (peak * 1e9)
    ratio = medians["hornbook"] / medians["trainer"]
    print(f"ratio to Trainer: {ratio:.2f}; {frac:.1%} of {peak:.0f} GFLOP/s in bf16")
    return {
        "name": "train_throughput",
        "ours": round(medians["hornbook"], 1),
        "peers": {name: round(value, 1) for name, value in medians.items() if name != "hornbook"},
        "ratio": round(ratio, 3),
        "peak_frac": round(frac, 4),
        "unit": "tokens/s",
        "all": {name: [round(value, 1) for value in found] for name, found in speeds.items()},
        "flops_per_token": flops,
        "batch_tokens": options.rows * ROW_TOKENS,
        "repeats": options.repeats,
        "machine": machine(threads=threads, bf16_gflops=round(peak)),
        "versions": versions(),
    }


def our_side(sizes: ModelSettings, folder: Path, rows: int, threads: int) -> tuple[Turn, float]:
    """The loop over packed documents, and FLOPs per token (attention counted within documents only)."""
    shard = documents(sizes.vocab_size)
    source = TokenSource(shard, row_tokens=ROW_TOKENS, batch_rows=rows, pad_id=0, seed=1)
    model = Decoder(sizes, compute_dtype=compute_dtype(CPU), seed=1)
    job = Job(model, source, NextToken(), 10**12, LoopSettings(micro_rows=MICRO_ROWS))
    fit = Fit(job, scratch_out(folder, machine=Machine(threads=threads)), Stop())
    batches = source.batches(None)
    lengths = np.diff(shard.offsets) - 1
    flops = float(sum(n * sizes.flops_per_token(int(n)) for n in lengths) / lengths.sum())

    def turn(num_steps: int) -> list[float]:
        found = []
        for _ in range(num_steps):
            batch = next(batches)
            begin = time.perf_counter()
            with deterministic():
                fit.step(batch)
            fit.state.step += 1
            found.append(float(batch.weights_BT.sum()) / (time.perf_counter() - begin))
        return found[1:]

    return turn, flops


def trainer_side(sizes: ModelSettings, folder: Path, batch_rows: int, *, fast: bool) -> Turn:
    """transformers' Trainer over rows of random ids."""
    from transformers import Qwen3Config, Qwen3ForCausalLM, Trainer, TrainerCallback, TrainingArguments

    config = Qwen3Config(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.width,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        num_key_value_heads=sizes.kv_heads,
        head_dim=sizes.head_size,
        intermediate_size=sizes.hidden,
        max_position_embeddings=sizes.max_tokens,
        tie_word_embeddings=True,
    )
    model = Qwen3ForCausalLM(config)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(16, sizes.vocab_size, (64 * batch_rows, ROW_TOKENS), generator=generator)
    rows = [{"input_ids": row, "labels": row} for row in ids]

    class Clock(TrainerCallback):
        """Seconds of every optimizer step."""

        def __init__(self) -> None:
            self.seconds: list[float] = []
            self.begin = 0.0

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            self.begin = time.perf_counter()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            self.seconds.append(time.perf_counter() - self.begin)

    def turn(num_steps: int) -> list[float]:
        clock = Clock()
        arguments = TrainingArguments(
            str(folder),
            max_steps=num_steps,
            per_device_train_batch_size=MICRO_ROWS,
            gradient_accumulation_steps=batch_rows // MICRO_ROWS,
            bf16=fast,
            torch_compile=fast,
            use_cpu=True,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        Trainer(model, arguments, train_dataset=rows, callbacks=[clock]).train()
        return [batch_rows * ROW_TOKENS / seconds for seconds in clock.seconds[1:]]

    return turn


def documents(vocab_size: int) -> Shard:
    """Random documents as long as children's stories are: 60 to 500 tokens, about 210 on average."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(5.25, 0.4, 6000), 60, 500).astype(np.int64)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    ids = rng.integers(16, vocab_size, offsets[-1]).astype(np.uint16)
    ids[offsets[:-1]], ids[offsets[1:] - 1] = 1, 2
    return Shard(ids, offsets, 4 * lengths)


def versions() -> dict[str, str]:
    """What was compared."""
    import transformers

    return {"torch": torch.__version__, "transformers": transformers.__version__}


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2, help="timed optimizer steps of each side in each turn")
    parser.add_argument("--rows", type=int, default=32, help="rows of an optimizer step, a multiple of 8")
    parser.add_argument("--threads", type=int, default=0, help="0 = the faster of all cores and one")
    parser.add_argument("--no-fast-trainer", action="store_true", help="leave out Trainer with bf16 and torch_compile")
    parser.add_argument("--no-record", action="store_true", help="do not write bench/records")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Decoding speed of a 10M model against transformers' `generate` and, where it is installed, llama.cpp.

    .venv/bin/python bench/decode.py [--repeats 5] [--threads N] [--tokens 128] [--eager]

Random weights (speed does not depend on them), 64 prompt tokens, greedy, batches of 1 and 16, each side in fp32 and
bf16 and compared at its best. Repeats are interleaved; medians count. llama.cpp (also in 8 bits) answers from a process
of its own: `python3 -m venv .peers && .peers/bin/pip install llama-cpp-python gguf safetensors`. The last line is one
JSON document, which is also written to bench/records/decode.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from record import machine, publish

from hornbook.checkpoint import folder as checkpoint
from hornbook.compute.threads import choose_threads
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel, load
from hornbook.engine.slots import Slots
from hornbook.model.decoder import Decoder
from hornbook.model.presets import preset

PROMPT_TOKENS = 64
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
LLAMA_FORMATS = ("fp32", "bf16", "q8_0")
HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parent / ".peers/bin/python"
Side = Callable[[], list[list[int]]]
Key = tuple[str, str, int]
"""Whose, number format, rows."""


def main() -> None:
    """Measure, print a table and the JSON line."""
    options = parse_options()
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        write_model(folder, Path(scratch) / "tokenizer")
        record = run(folder, options)
    publish(record, not options.no_record)


def run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every side, format and batch, interleaved; the record."""
    ours = {name: load(folder, dtype=dtype, compiled=not options.eager) for name, dtype in DTYPES.items()}
    theirs = {name: load_transformers(folder, dtype) for name, dtype in DTYPES.items()}
    first = Slots(ours["fp32"], 1)
    first.admit(first.row(request(0, 900)))
    threads = options.threads or choose_threads(first.step)
    torch.set_num_threads(threads)
    sides: dict[Key, Side] = {}
    for num_rows in (1, 16):
        for name in DTYPES:
            Slots(ours[name], num_rows).warm_up(PROMPT_TOKENS + options.tokens)
            sides["hornbook", name, num_rows] = our_side(ours[name], num_rows, options.tokens)
            sides["transformers", name, num_rows] = their_side(theirs[name], num_rows, options.tokens)
    with ExitStack() as open_peers:
        for name in LLAMA_FORMATS if has_llama_cpp() else ():
            ask = open_peers.enter_context(llama_cpp(folder, name, threads, options.tokens))
            sides |= {("llama.cpp", name, num_rows): llama_side(ask, num_rows) for num_rows in (1, 16)}
        texts = {key: side() for key, side in sides.items()}
        return summary(measured(sides, options.repeats), texts, options, threads)


def measured(sides: dict[Key, Side], repeats: int) -> dict[Key, list[float]]:
    """Seconds of every side, in turns."""
    seconds: dict[Key, list[float]] = {key: [] for key in sides}
    for _ in range(repeats):
        for key, side in sides.items():
            begin = time.perf_counter()
            side()
            seconds[key].append(time.perf_counter() - begin)
    return seconds


def summary(
    seconds: dict[Key, list[float]],
    texts: dict[Key, list[list[int]]],
    options: argparse.Namespace,
    threads: int,
) -> dict[str, Any]:
    """Tokens per second of every side, the ratios of the best formats, the machine."""
    speeds = {key: key[2] * options.tokens / statistics.median(taken) for key, taken in seconds.items()}
    for (side, name, num_rows), speed in speeds.items():
        taken = seconds[side, name, num_rows]
        spread = (max(taken) - min(taken)) / statistics.median(taken)
        print(f"{side:13s} {name}  batch {num_rows:2d}  {speed:8.0f} tokens/s   spread {spread:.0%}")

    def best(side: str, num_rows: int) -> float:
        return max(speed for key, speed in speeds.items() if (key[0], key[2]) == (side, num_rows))

    ratios = {num_rows: best("hornbook", num_rows) / best("transformers", num_rows) for num_rows in (1, 16)}
    same = {side: texts[side, "fp32", 1] == texts["hornbook", "fp32", 1] for side, name, _ in texts if name == "fp32"}
    print(f"ratio at batch 1: {ratios[1]:.2f}, at batch 16: {ratios[16]:.2f}; same fp32 greedy text: {same}")
    if not has_llama_cpp():
        print(f"llama.cpp is not there: {PEERS_PYTHON} has no llama_cpp")
    peers = sorted({key[0] for key in speeds} - {"hornbook"}, reverse=True)
    return {
        "name": "decode",
        "ours": round(best("hornbook", 1), 1),
        "peers": {side: round(best(side, 1), 1) for side in peers},
        "ours_b16": round(best("hornbook", 16), 1),
        "peers_b16": {side: round(best(side, 16), 1) for side in peers},
        "ratio": round(ratios[1], 3),
        "ratio_b1": round(ratios[1], 3),
        "ratio_b16": round(ratios[16], 3),
        "unit": "tokens/s",
        "all": {f"{side} {name} b{num_rows}": round(speed, 1) for (side, name, num_rows), speed in speeds.items()},
        "same_fp32_greedy_text": same,
        "compiled": not options.eager,
        "repeats": options.repeats,
        "machine": machine(threads=threads),
        "versions": versions(),
    }


def request(row: int, num_tokens: int) -> Request:
    """A prompt of its own for every row."""
    return Request(tuple(prompts(row + 1)[row]), num_tokens, temperature=0.0, ignore_eos=True)


def prompts(num_rows: int) -> list[list[int]]:
    """Random ids, the same for both sides."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(16, 4096, (64, PROMPT_TOKENS), generator=generator)[:num_rows].tolist()


def our_side(model: LocalModel, num_rows: int, num_tokens: int) -> Side:
    """All rows through `generate`."""
    requests = [request(row, num_tokens) for row in range(num_rows)]
    return lambda: [list(found.ids) for found in model.generate(requests)]


def their_side(model: Any, num_rows: int, num_tokens: int) -> Side:
    """All rows in one call of transformers' generate, as its documentation shows it."""
    ids_BT = torch.tensor(prompts(num_rows))
    mask_BT = torch.ones_like(ids_BT)

    def generate() -> list[list[int]]:
        with torch.inference_mode():
            found = model.generate(
                ids_BT,
                attention_mask=mask_BT,
                max_new_tokens=num_tokens,
                min_new_tokens=num_tokens,
                do_sample=False,
                pad_token_id=0,
            )
        return found[:, PROMPT_TOKENS:].tolist()

    return generate


def has_llama_cpp() -> bool:
    """Whether the peers' environment has it."""
    check = [str(PEERS_PYTHON), "-c", "import gguf, llama_cpp, safetensors"]
    return PEERS_PYTHON.exists() and subprocess.run(check, check=False, capture_output=True).returncode == 0


@contextmanager
def llama_cpp(folder: Path, name: str, threads: int, num_tokens: int) -> Iterator[Callable[[str], str]]:
    """llama.cpp with the folder's weights: a function from a line of prompts to a line of texts."""
    command = [str(PEERS_PYTHON), str(HERE / "llama_cpp_peer.py"), str(folder), name, str(threads), str(num_tokens)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        if process.stdin is None or process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError("llama.cpp did not start")
        asked, told = process.stdin, process.stdout

        def ask(line: str) -> str:
            print(line, file=asked, flush=True)
            return told.readline()

        yield ask
        asked.close()


def llama_side(ask: Callable[[str], str], num_rows: int) -> Side:
    """All rows as sequences of one batch."""
    line = json.dumps(prompts(num_rows))
    return lambda: json.loads(ask(line))


def load_transformers(folder: Path, dtype: torch.dtype) -> Any:
    """The same folder in transformers."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    model.generation_config.eos_token_id = None
    return model


def write_model(folder: Path, tokenizer_folder: Path) -> None:
    """A 10M model with random weights and a tokenizer of bytes."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    special = ("<|pad|>", "<|bos|>", "<|eos|>", "<|im_start|>", "<|im_end|>")
    names = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({name: index for index, name in enumerate(names)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in special])
    tokenizer_folder.mkdir(parents=True)
    tokenizer.save(str(tokenizer_folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": special[1], "eos_token": special[2]}
    (tokenizer_folder / "tokenizer_config.json").write_text(json.dumps(config))
    model = Decoder(preset("story-10m"))
    model.initialise(0, embedding_std=0.1, zero_projections=False)
    checkpoint.save(folder, model, tokenizer_folder, card={"name": "random weights"})


def versions() -> dict[str, str]:
    """What was compared."""
    import transformers

    found = {"torch": torch.__version__, "transformers": transformers.__version__}
    if has_llama_cpp():
        said = [str(PEERS_PYTHON), "-c", "import llama_cpp; print(llama_cpp.__version__)"]
        found["llama_cpp_python"] = subprocess.run(said, check=True, capture_output=True, text=True).stdout.strip()
    return found


def parse_options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 = the faster of all cores and one")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--eager", action="store_true", help="do not compile our side")
    parser.add_argument("--no-record", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""What HTTP costs: 16 streams through the server against the engine's own batch of 16, in one run.

Both sides use the same loaded model and the same compiled steps, in the server's process; the readers of the streams
are a process of their own, on the same cores. Passes alternate; medians are compared.

    python bench/serve.py [--passes 8] [--tokens 128] [--readers openai]
"""

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import uvicorn
from record import machine, publish

from hornbook.checkpoint import folder as checkpoint
from hornbook.compute.threads import choose_threads, in_passing_thread
from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel, load
from hornbook.engine.scheduler import Scheduler
from hornbook.engine.slots import Slots
from hornbook.model.decoder import Decoder
from hornbook.model.presets import preset
from hornbook.serve.app import build_app
from hornbook.serve.host import listen, served_from
from hornbook.serve.pick import Picked
from hornbook.serve.settings import ServeSettings
from hornbook.tokenizer.learn import Settings, learn_ranks, write_folder
from hornbook.tokenizer.special import NUM_SPECIAL
from hornbook.tokenizer.tokenizer import Tokenizer

NUM_STREAMS = 16
NUM_PROMPT_TOKENS = 32
TARGET = 0.8


def main() -> None:
    """Measure, print a table and, last, one JSON line; keep the line in bench/records/."""
    options = read_options()
    if options.read:
        asyncio.run(read_streams(options))
        return
    with tempfile.TemporaryDirectory() as place:
        picked = Picked(in_passing_thread(lambda: make_model(Path(place))), "bench", is_chat=False)
        local, threads = in_passing_thread(lambda: prepare(picked, options))
        options.threads = threads
        passes = [one_pass(local, picked, options, number) for number in range(options.passes + 1)][1:]
        torch.set_num_threads(threads)
    report(passes, options, str(local.dtype).removeprefix("torch."))


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=0, help="0: chosen by a short trial")
    parser.add_argument("--no-record", action="store_true", help="do not write bench/records/serve.json")
    parser.add_argument("--readers", choices=("plain", "openai"), default="plain", help="what reads the streams")
    parser.add_argument("--read", default="", help=argparse.SUPPRESS)  # the readers' process is this file again
    return parser.parse_args()


def make_model(place: Path) -> Path:
    """A random story-10m whose end tokens are next to impossible, with a learned vocabulary of 4,096."""
    words = random.Random(7)
    syllables = [a + b for a in "bcdfghjklmnprstvw" for b in "aeiou"]
    texts = ["".join(words.choices(syllables, k=words.randint(1, 4))) for _ in range(60_000)]
    learn = Settings(vocab_size=4096)
    (place / "tokenizer").mkdir()
    lines = [" ".join(texts[start : start + 60]) for start in range(0, len(texts), 60)]
    write_folder(place / "tokenizer", learn_ranks(lines, learn), learn)
    vocab_size = Tokenizer.load(place / "tokenizer").vocab_size
    model = Decoder(preset("story-10m", vocab_size=vocab_size, max_tokens=1024))
    model.initialise(7, embedding_std=1.0, zero_projections=False)
    with torch.no_grad():
        model.embedding[:NUM_SPECIAL] *= 0.01
    (place / "bench").mkdir()
    checkpoint.save(place / "bench", model.eval(), place / "tokenizer", card={})
    return place / "bench"


def prepare(picked: Picked, options: argparse.Namespace) -> tuple[LocalModel, int]:
    """The model with all its steps compiled, and the number of threads."""
    local = load(picked.folder, num_slots=NUM_STREAMS)
    step = warm_up(local, options.tokens)
    return local, options.threads or choose_threads(step)


def warm_up(local: LocalModel, num_tokens: int) -> Callable[[], object]:
    """Compile every shape that a pass meets; returns a step of the whole batch, for the trial of threads."""
    slots = Slots(local, NUM_STREAMS, fixed_rows=NUM_STREAMS)
    slots.warm_up(NUM_PROMPT_TOKENS + num_tokens)
    for rows in (1, 2, 4, 8):  # streams do not arrive all at once
        Slots(local, NUM_STREAMS, fixed_rows=rows).warm_up(NUM_PROMPT_TOKENS)
    for number in range(NUM_STREAMS):
        slots.admit(slots.row(Request(tuple(prompt_ids(number)), 900, seed=number)))
    return slots.step


def one_pass(local: LocalModel, picked: Picked, options: argparse.Namespace, number: int) -> dict[str, float]:
    """Tokens per second of the engine alone and through HTTP; every other pass begins with the other side.

    Each side computes in a thread of its own that ends with it, as in a server that does nothing else.
    """
    found: dict[str, float] = {}
    sides: list[Callable[[], None]] = [
        lambda: found.update(in_passing_thread(lambda: alone(local, options))),
        lambda: found.update(served(local, picked, options)),
    ]
    for side in sides if number % 2 else sides[::-1]:
        side()
    return found


def alone(local: LocalModel, options: argparse.Namespace) -> dict[str, float]:
    """The engine's own batch."""
    requests = [
        Request(tuple(prompt_ids(number)), options.tokens, temperature=options.temperature, seed=number)
        for number in range(NUM_STREAMS)
    ]
    torch.set_num_threads(options.threads)  # a new thread takes what any other set last
    began = time.perf_counter()
    written = sum(len(item.ids) for item in local.generate(requests))
    return {"engine": written / (time.perf_counter() - began)}


def served(local: LocalModel, picked: Picked, options: argparse.Namespace) -> dict[str, float]:
    """A server for one pass."""
    scheduler, settings = Scheduler(local, num_slots=NUM_STREAMS), ServeSettings(port=0)
    app = build_app(served_from(local, scheduler, picked), settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    with listen(settings) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        found = through_http(f"http://127.0.0.1:{bound.getsockname()[1]}", options)
        server.should_exit = True
        thread.join()
    scheduler.close()
    return found


def through_http(address: str, options: argparse.Namespace) -> dict[str, float]:
    """The same requests as streams, read by another process."""
    command = [sys.executable, __file__, "--read", address, "--readers", options.readers]
    command += ["--tokens", str(options.tokens), "--temperature", str(options.temperature)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return {"http": found["tokens"] / found["seconds"], "first_s": found["first_s"]}


def prompt_ids(number: int) -> list[int]:
    """A prompt of its own for each stream."""
    draw = random.Random(number)
    return [1, *(draw.randrange(NUM_SPECIAL, 4000) for _ in range(NUM_PROMPT_TOKENS - 1))]


async def read_streams(options: argparse.Namespace) -> None:
    """The readers' process: all streams at once; prints tokens, seconds from first request to last token."""
    if options.readers == "openai":
        import openai  # noqa: F401  # pyright: ignore[reportUnusedImport]  # loaded before the clock starts
    read = read_openai if options.readers == "openai" else read_plain
    began = time.perf_counter()
    results = await asyncio.gather(*(read(options.read, asked(number, options)) for number in range(NUM_STREAMS)))
    seconds = time.perf_counter() - began
    first_s = statistics.median(at - began for _, at in results)
    print(json.dumps({"tokens": sum(num for num, _ in results), "seconds": seconds, "first_s": first_s}))


def asked(number: int, options: argparse.Namespace) -> dict[str, Any]:
    """The body of one request."""
    return {
        "model": "",
        "prompt": prompt_ids(number),
        "max_tokens": options.tokens,
        "temperature": options.temperature,
        "seed": number,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def read_plain(address: str, request: dict[str, Any]) -> tuple[int, float]:
    """A stream over a plain socket: what curl would do."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(request).encode()
    writer.write(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    first, tail = 0.0, b""
    while b"data: [DONE]" not in tail:
        piece = await reader.read(1 << 16)
        if not piece:
            raise RuntimeError("the stream broke off")
        first = first or time.perf_counter()
        tail = tail[-2000:] + piece
    writer.close()
    return int(tail.split(b'"completion_tokens":')[-1].split(b",")[0]), first


async def read_openai(address: str, request: dict[str, Any]) -> tuple[int, float]:
    """A stream through the official client."""
    import openai

    first, num = 0.0, 0
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="x") as client:
        async for chunk in await client.completions.create(**request):
            first = first or time.perf_counter()
            num = chunk.usage.completion_tokens if chunk.usage else num
    return num, first


def report(passes: list[dict[str, float]], options: argparse.Namespace, dtype: str) -> None:
    """The table, and the line that claims are made from."""
    middle = {name: statistics.median(item[name] for item in passes) for name in passes[0]}
    ratios = sorted(item["http"] / item["engine"] for item in passes)
    print(f"{'pass':>4}  {'engine tok/s':>12}  {'HTTP tok/s':>10}  {'ratio':>6}  {'first token s':>13}")
    for number, item in enumerate(passes, 1):
        row = f"{item['engine']:>12,.0f}  {item['http']:>10,.0f}  {item['http'] / item['engine']:>6.2f}"
        print(f"{number:>4}  {row}  {item['first_s']:>13.3f}")
    line = {
        "name": "serve",
        "ours": middle["http"],
        "peers": {"engine_batch_16": middle["engine"]},
        "ratio": statistics.median(ratios),
        "ratio_spread": [ratios[0], ratios[-1]],
        "unit": "tokens/s over 16 streams",
        "target": TARGET,
        "readers": options.readers,
        "first_token_s": middle["first_s"],
        "dtype": dtype,
        "machine": machine(threads=torch.get_num_threads()),
    }
    publish(line, not options.no_record)


if __name__ == "__main__":
    main()

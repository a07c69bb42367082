"""Near-duplicate removal against datatrove's four MinHash stages, rensa and datasketch, on the same documents.

    .venv/bin/python bench/minhash.py [--docs 8000] [--repeats 2] [--data FOLDER] [--peers datatrove rensa datasketch]

Documents: chunks of about 400 words of the text files and JSON lines below FOLDER (default HORNBOOK_DATA), without one
generated text; a fifth are edited copies. 5-word shingles, 14 bands of 8. Every side reads the same Parquet files and
runs in a process of its own, with one worker and with two; sides are interleaved, medians count; the clock begins
after the interpreter and its imports, which CPU seconds count too. Truth is the exact Jaccard similarity of each
planted pair. `ratio` is ours over datatrove, one worker each.
Peers: `.peers/bin/pip install "datatrove[io,processing]" spacy rensa datasketch` (HORNBOOK_PEERS: another place).
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from corpus import blocks, cpu_seconds, edited, watch_memory
from record import machine, publish

from hornbook.core.document import Document, to_table

HERE = Path(__file__).parent
PEERS_PYTHON = Path(os.environ.get("HORNBOOK_PEERS", HERE.parent / ".peers")) / "bin/python"
CHUNK_WORDS = 400
FILES = 4
WORD = re.compile(r"[a-z0-9\u0080-\U0010ffff]+")
OURS = """
import json, sys, time
from pathlib import Path
from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import dedup
import numpy, pyarrow.parquet, rensa, scipy.sparse.csgraph
folder, out, workers, settings = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
begin = time.perf_counter()
read = Artifact(Path(folder).parent, Manifest(kind="documents"))
machine = Machine(workers=workers)
dedup.run(parse(dedup.Settings, settings, "bench"), {"documents": read}, scratch_out(out, machine=machine))
seconds = time.perf_counter() - begin
rows = [row for file in sorted((out / "dropped").glob("*")) for row in pyarrow.parquet.read_table(file).to_pylist()]
removed = [(row["id"], json.loads(row["meta"])["duplicate_of"]) for row in rows]
print(json.dumps({"seconds": seconds, "removed": removed}))
"""
MINHASH_ALONE = {"url": False, "exact": False}


def main() -> None:
    """Measure, print a table and the JSON line."""
    options = parse_options()
    with tempfile.TemporaryDirectory() as scratch:
        texts, pairs = make(options.docs, options.data)
        folder = Path(scratch) / "kept"
        write(folder, texts)
        truth = {pair: similarity(texts[pair[0]], texts[pair[1]]) for pair in pairs}
        sides = [("hornbook", 1), ("hornbook", 2), ("hornbook 14x8 only", 1)]
        sides += [(name, workers) for name in options.peers for workers in ((1, 2) if name == "datatrove" else (1,))]
        found: dict[tuple[str, int], list[dict[str, Any]]] = {side: [] for side in sides}
        for repeat in range(options.repeats):
            for side in sides:
                run = measure(*side, folder, Path(scratch) / f"{side[0]}-{side[1]}-{repeat}".replace(" ", "-"))
                if run is not None:
                    found[side].append(run)
    publish(summary(found, texts, truth, options), not options.no_record)


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--docs", type=int, default=8000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--data", type=Path, default=os.environ.get("HORNBOOK_DATA"))
    parser.add_argument("--peers", nargs="*", default=["datatrove", "rensa", "datasketch"])
    parser.add_argument("--no-record", action="store_true")
    return parser.parse_args()


def make(num_docs: int, data: Path | None) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts in a shuffled order, and the pairs of original and edited copy by place."""
    dice = random.Random(7)
    source = chunks_of(data) if data else (doc.text for doc in blocks(1, 0, num_docs) if doc.kind == "own")
    own = [text for text, _ in zip(source, range(int(num_docs * 0.8)), strict=False)]
    copies = [dice.randrange(len(own)) for _ in range(min(num_docs - len(own), len(own) // 4))]
    texts = own + [edited(own[n], dice.uniform(0.0, 0.3), dice, own[dice.randrange(len(own))]) for n in copies]
    order = list(range(len(texts)))
    dice.shuffle(order)
    place = {number: at for at, number in enumerate(order)}
    pairs = [(place[n], place[len(own) + copy]) for copy, n in enumerate(copies)]
    return [texts[n] for n in order], pairs


def chunks_of(data: Path) -> Iterator[str]:
    """Real text below a folder in chunks of CHUNK_WORDS."""
    for file in sorted(p for p in Path(data).rglob("*") if p.suffix in (".txt", ".md", ".jsonl")):
        if file.suffix == ".jsonl":
            text = " ".join(strings(json.loads(line)) for line in file.open(encoding="utf-8") if line.strip())
        else:
            text = file.read_text("utf-8", "replace")
        words = text.split()
        yield from (" ".join(words[at : at + CHUNK_WORDS]) for at in range(0, len(words) - CHUNK_WORDS, CHUNK_WORDS))


def strings(value: Any) -> str:
    """All texts inside a JSON value."""
    if isinstance(value, str):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return " ".join(filter(None, map(strings, parts)))


def write(folder: Path, texts: list[str]) -> None:
    """The documents as FILES Parquet files; an id is the document's place."""
    folder.mkdir(parents=True)
    size = -(-len(texts) // FILES)
    for number in range(FILES):
        part = [Document(str(n), texts[n]) for n in range(number * size, min(len(texts), (number + 1) * size))]
        pq.write_table(to_table(part), folder / f"{number:05d}.parquet", row_group_size=1024)


def shingles(text: str) -> set[tuple[str, ...]]:
    """The word shingles of a text, by hand."""
    words = WORD.findall(text.lower())
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def similarity(a: str, b: str) -> float:
    """Exact Jaccard similarity."""
    first, second = shingles(a), shingles(b)
    return len(first & second) / len(first | second)


def measure(name: str, workers: int, folder: Path, out: Path) -> dict[str, Any] | None:
    """Run one side; None (and a line that says why) when it cannot run."""
    if name.startswith("hornbook"):
        settings = MINHASH_ALONE | ({"extra_rows": 0} if "only" in name else {})
        command = [sys.executable, "-c", OURS, str(folder), str(out), str(workers), json.dumps(settings)]
    else:
        command = [str(PEERS_PYTHON), str(HERE / "minhash_peer.py"), name, str(folder), str(out), str(workers)]
    if not Path(command[0]).exists():
        print(f"{name}: no environment of peers at {PEERS_PYTHON}")
        return None
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    cpu_before_s = cpu_seconds()
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process,
        watch_memory(process.pid) as memory,
    ):
        output, errors = process.communicate()
    if process.returncode:
        print(f"{name}: {errors.strip().splitlines()[-1] if errors.strip() else process.returncode}")
        return None
    print(f"{name}, {workers} worker(s): {(run := json.loads(output.splitlines()[-1]))['seconds']:.2f} s", flush=True)
    return run | memory | {"cpu_s": cpu_seconds() - cpu_before_s}


def summary(
    found: dict[tuple[str, int], list[dict[str, Any]]],
    texts: list[str],
    truth: dict[tuple[int, int], float],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """The table and the record."""
    alike = [pair for pair, value in truth.items() if value >= 0.8]
    size_mb = sum(map(len, texts)) / 1e6
    print(f"{len(texts)} documents, {size_mb:.1f} MB, {len(truth)} planted pairs, {len(alike)} at Jaccard >= 0.8")
    columns = ("recall", "removed", "J < .5", "CPU s", "RSS MB", "PSS MB")
    print(f"{'side':24}{'docs/s':>9}{'spread':>13}" + "".join(f"{name:>8}" for name in columns))
    rows: dict[str, dict[str, Any]] = {}
    for (name, workers), runs in found.items():
        if not runs:
            continue
        speeds = [len(texts) / run["seconds"] for run in runs]
        removed = {int(copy): kept for copy, kept in runs[0]["removed"]}
        known = [(copy, int(kept)) for copy, kept in removed.items() if kept not in ("", None)]
        low = sum(similarity(texts[a], texts[b]) < 0.5 for a, b in known)
        row: dict[str, Any] = {
            "docs_per_s": round(statistics.median(speeds)),
            "spread": [round(min(speeds)), round(max(speeds))],
            "recall": round(sum(a in removed or b in removed for a, b in alike) / max(1, len(alike)), 4),
            "removed": len(removed),
            "below_half": low,
            "cpu_s": round(statistics.median(run["cpu_s"] for run in runs), 1),
            "rss_mb": round(max(run["rss_mb"] for run in runs)),
            "pss_mb": round(max(run["pss_mb"] for run in runs)),
        }
        rows[f"{name}, {workers}"] = row
        spread = f"{row['spread'][0]}-{row['spread'][1]}"
        print(
            f"{name + ', ' + str(workers):24}{row['docs_per_s']:9}{spread:>13}{row['recall']:8.4f}"
            f"{row['removed']:8}{low:8}{row['cpu_s']:8}{row['rss_mb']:8}{row['pss_mb']:8}"
        )
    ours, peer = rows["hornbook, 1"], rows.get("datatrove, 1")
    return {
        "name": "minhash",
        "ours": ours["docs_per_s"],
        "peers": {name: row["docs_per_s"] for name, row in rows.items() if not name.startswith("hornbook")},
        "ratio": round(ours["docs_per_s"] / peer["docs_per_s"], 1) if peer else None,
        "ratio_two_workers": round(rows["hornbook, 2"]["docs_per_s"] / two["docs_per_s"], 1)
        if (two := rows.get("datatrove, 2"))
        else None,
        "unit": "documents per second",
        "documents": len(texts),
        "text_mb": round(size_mb, 1),
        "pairs_above_0.8": len(alike),
        "real_text": bool(options.data),
        "rows": rows,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()

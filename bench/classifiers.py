"""Text classifiers: ours against scikit-learn's own pipeline, fastText and Vowpal Wabbit, side by side.

    .venv/bin/python bench/classifiers.py --data FOLDER [--repeats 3] [--no-record]

FOLDER (default: HORNBOOK_DATA) holds `tasks/toxicity/davidson_train.jsonl` (tweets), `text/` (Wikipedia) and `web/`
(HTML). Toxicity: tweets, a fifth held out by a hash of the id. Quality: windows of 150 words of Wikipedia against all
text of web pages, menus included (easy by construction), held out by page. Speed: texts of 5,000 characters scored by
one thread. fastText and Vowpal Wabbit live in `.peers`; a side that is not installed is left out. Sides take turns,
medians count. The last line is one JSON document, which is also written to bench/records/classifiers.json.
"""

import argparse
import gzip
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from record import machine, publish

from hornbook.data.learned import roc
from hornbook.data.learned.features import Features
from hornbook.data.learned.fitting import Examples, fit

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parent / ".peers" / "bin" / "python"
WINDOW_WORDS, LONG_CHARS = 150, 5_000
Row = tuple[str, int, str]
"""Text, label, group."""
Round = Callable[[str], dict[str, Any]]
"""One round on a task: seconds of training, scores of the held-out texts, texts per second."""


def main() -> None:
    """Measure, print a table and the JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.environ.get("HORNBOOK_DATA", ""))
    parser.add_argument("--peers", type=Path, default=PEERS_PYTHON, help="the Python that has the peers")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    root = Path(options.data)
    if not (root / "tasks" / "toxicity").is_dir():
        sys.exit(f"no data at {root}: give --data or set HORNBOOK_DATA")
    with tempfile.TemporaryDirectory() as scratch:
        record = run(root, Path(scratch), options)
    publish(record, not options.no_record)


def run(root: Path, scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Every side in turn on every task; the record."""
    tasks = {name: task(rows) for name, rows in (("toxicity", tweets(root)), ("quality", pages(root)))}
    file = scratch / "data.json"
    file.write_text(json.dumps({n: {k: t[k] for k in ("train", "held_out", "long")} for n, t in tasks.items()}))
    sides: dict[str, Round] = {
        "hornbook": lambda name: our_round(tasks[name]),
        "scikit-learn": lambda name: sklearn_round(tasks[name]),
    }
    process = None
    if options.peers.exists():
        command = [str(options.peers), str(HERE / "classifiers_peer.py"), str(file)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None and process.stdout is not None
        asked, told = process.stdin, process.stdout

        def peer(side: str) -> Round:
            def ask(name: str) -> dict[str, Any]:
                print(json.dumps([side, name]), file=asked, flush=True)
                return json.loads(told.readline())

            return ask

        sides |= {side: peer(side) for side in json.loads(told.readline())}
    found: dict[str, dict[str, list[dict[str, Any]]]] = {name: {side: [] for side in sides} for name in tasks}
    for _ in range(options.repeats):
        for name in tasks:
            for side, turn in sides.items():
                found[name][side].append(turn(name))
    if process is not None:
        process.communicate()
    return summary(tasks, found)


def summary(tasks: dict[str, Any], found: dict[str, dict[str, list[dict[str, Any]]]]) -> dict[str, Any]:
    """The table, and the record: `ours`, `peers` are texts of 5,000 characters a second."""
    results: dict[str, dict[str, Any]] = {}
    print(
        f"{'':10s} {'':14s} {'AUC':>7s} {'macro F1':>9s} {'train s':>8s} {'texts/s':>9s} {'5 kB texts/s':>13s}  spread"
    )
    for name, sides in found.items():
        labels = np.array(tasks[name]["labels"])
        results[name] = {}
        for side, rounds in sides.items():
            scores = np.array(rounds[0]["held_out"])
            speeds = [r["long_docs_per_s"] for r in rounds]
            row = {
                "auc": round(roc.roc(labels == 1, scores).auc, 4),
                "macro_f1": round(roc.macro_f1(roc.confusion(labels, scores >= 0.5, 2)), 4),
                "train_s": round(statistics.median(r["train_s"] for r in rounds), 2),
                "docs_per_s": round(statistics.median(r["docs_per_s"] for r in rounds)),
                "long_docs_per_s": round(statistics.median(speeds)),
            }
            results[name][side] = row
            spread = (max(speeds) - min(speeds)) / statistics.median(speeds)
            cells = [f"{row['auc']:7.4f} {row['macro_f1']:9.3f} {row['train_s']:8.2f} {row['docs_per_s']:9,d}"]
            print(f"{name:10s} {side:14s}", *cells, f"{row['long_docs_per_s']:13,d}  {spread:.0%}", flush=True)
    speeds = {side: row["long_docs_per_s"] for side, row in results["quality"].items()}
    ours = speeds.pop("hornbook")
    return {
        "name": "classifiers",
        "ours": ours,
        "peers": speeds,
        "ratio": round(ours / speeds["scikit-learn"], 3),
        "unit": "texts of 5,000 characters/s",
        "results": results,
        "sizes": {name: [len(data["train"]), len(data["held_out"])] for name, data in tasks.items()},
        "machine": machine(threads=1),
    }


def task(rows: list[Row]) -> dict[str, Any]:
    """A fifth of the groups held out; long texts to measure speed with."""
    is_out = [int.from_bytes(hashlib.blake2b(g.encode(), digest_size=4).digest(), "little") % 5 == 0 for *_, g in rows]
    train = [row for row, out in zip(rows, is_out, strict=True) if not out]
    held_out = [row for row, out in zip(rows, is_out, strict=True) if out]
    joined = " ".join(text for text, *_ in rows)
    long = [joined[i : i + LONG_CHARS] for i in range(0, min(len(joined), 400 * LONG_CHARS) - LONG_CHARS, LONG_CHARS)]
    return {
        "train": [(text, label) for text, label, _ in train],
        "groups": [group for *_, group in train],
        "held_out": [text for text, *_ in held_out],
        "labels": [label for _, label, _ in held_out],
        "long": long,
    }


def tweets(root: Path) -> list[Row]:
    """Hateful or offensive tweets against neither."""
    lines = (root / "tasks/toxicity/davidson_train.jsonl").read_text("utf-8").splitlines()
    return [(row["tweet"], int(row["cls"] != 2), row["id"]) for row in map(json.loads, lines)]


def pages(root: Path) -> list[Row]:
    """Windows of Wikipedia (1) and of all text of web pages (0)."""
    from resiliparse.extract.html2text import extract_plain_text  # pyright: ignore[reportMissingImports]

    rows: list[Row] = []
    for file in sorted((root / "text").glob("wiki*.txt")):
        text = file.read_text("utf-8", "replace")
        for place in range(0, len(text), 20_000):
            rows += windows(text[place : place + 20_000], 1, f"{file.name}@{place}")
    for file in sorted((root / "web").rglob("*.html*")):
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        text = extract_plain_text(data.decode("utf-8", "replace"), main_content=False)
        rows += windows(text, 0, file.relative_to(root).as_posix())[:8]
    return rows


def windows(text: str, label: int, group: str) -> list[Row]:
    """Runs of 150 words."""
    words = text.split()
    places = range(0, len(words) - WINDOW_WORDS, WINDOW_WORDS)
    return [(" ".join(words[i : i + WINDOW_WORDS]), label, group) for i in places]


def timed(score: Callable[[list[str]], Any], data: dict[str, Any], train_s: float) -> dict[str, Any]:
    """Scores of the held-out texts and texts per second."""
    begin = time.perf_counter()
    found = score(data["held_out"])
    middle = time.perf_counter()
    score(data["long"])
    return {
        "train_s": train_s,
        "held_out": found,
        "docs_per_s": len(found) / (middle - begin),
        "long_docs_per_s": len(data["long"]) / (time.perf_counter() - middle),
    }


def our_round(data: dict[str, Any]) -> dict[str, Any]:
    """Hornbook's classifier: it keeps a part of the training texts for calibration and for its own measurements."""
    texts, labels = [text for text, _ in data["train"]], [label for _, label in data["train"]]
    ids = [str(number) for number in range(len(texts))]
    begin = time.perf_counter()
    model = fit(Examples(texts, labels, data["groups"], ids), ("no", "yes"), Features(), 0, {})
    seconds = time.perf_counter() - begin
    return timed(lambda given: model.probabilities(given)[:, 1].tolist(), data, seconds)


def sklearn_round(data: dict[str, Any]) -> dict[str, Any]:
    """HashingVectorizer of words and pairs of words, SGDClassifier with logistic loss."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    begin = time.perf_counter()
    vectorizer = HashingVectorizer(ngram_range=(1, 2), n_features=1 << 18, alternate_sign=False)
    all_epochs: Any = None  # the stub knows only numbers
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=10, tol=all_epochs, random_state=0)
    model.fit(vectorizer.transform([text for text, _ in data["train"]]), [label for _, label in data["train"]])
    seconds = time.perf_counter() - begin
    return timed(lambda given: model.predict_proba(vectorizer.transform(given))[:, 1].tolist(), data, seconds)


if __name__ == "__main__":
    main()

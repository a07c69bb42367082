"""fastText's and Vowpal Wabbit's side of bench/classifiers.py, in a process and an environment of their own.

    .peers/bin/python bench/classifiers_peer.py DATA.json

DATA.json: task -> {"train": [[text, label]], "held_out": [text], "long": [text]}. Prints the names of the sides that
are installed, then answers each line of input, a JSON list [side, task], with {"train_s", "held_out",
"docs_per_s", "long_docs_per_s"}: one round of training and scoring.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MARKS = re.compile(r"([.!?,'/()\"|:;])")


def words(text: str) -> str:
    """Lower case with marks set apart on one line, as fastText's authors prepare texts."""
    return " ".join(MARKS.sub(r" \1 ", text.lower()).split())


def fasttext_round(train: list[Any], held_out: list[str]) -> tuple[float, Callable[[list[str]], list[float]]]:
    """Train; seconds, and a function from texts to scores."""
    import fasttext  # pyright: ignore[reportMissingImports]  # the peers have it

    begin = time.perf_counter()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"__label__{label} {words(text)}\n" for text, label in train)
        file.flush()
        model = fasttext.train_supervised(
            file.name, dim=64, wordNgrams=2, bucket=200_000, epoch=25, lr=0.5, thread=1, verbose=0
        )

    def score(texts: list[str]) -> list[float]:
        labels, values = model.predict([words(text) for text in texts], k=2)
        rows = (dict(zip(names, row, strict=True)) for names, row in zip(labels, values, strict=True))
        return [float(row.get("__label__1", 0.0)) for row in rows]

    return time.perf_counter() - begin, score


def vowpal_round(train: list[Any], held_out: list[str]) -> tuple[float, Callable[[list[str]], list[float]]]:
    """Train in three passes; seconds, and a function from texts to scores."""
    import vowpalwabbit  # pyright: ignore[reportMissingImports]

    def bare(text: str) -> str:
        return " ".join(re.findall(r"\w+", text.lower()))

    begin = time.perf_counter()
    model = vowpalwabbit.Workspace("--loss_function logistic -b 18 --ngram 2 --quiet --link logistic")
    for _ in range(3):
        for text, label in train:
            model.learn(f"{1 if label else -1} | {bare(text)}")
    seconds = time.perf_counter() - begin
    return seconds, lambda texts: [float(model.predict(f"| {bare(text)}")) for text in texts]


SIDES = {"fastText": ("fasttext", fasttext_round), "vowpal wabbit": ("vowpalwabbit", vowpal_round)}


def main() -> None:
    """Answer lines until there are no more."""
    tasks = json.loads(Path(sys.argv[1]).read_text())
    there = []
    for name, (module, _) in SIDES.items():
        try:
            __import__(module)
            there.append(name)
        except ImportError as error:
            print(f"{name}: {error}", file=sys.stderr)
    print(json.dumps(there), flush=True)
    for line in sys.stdin:
        side, task = json.loads(line)
        data = tasks[task]
        seconds, score = SIDES[side][1](data["train"], data["held_out"])
        begin = time.perf_counter()
        found = score(data["held_out"])
        middle = time.perf_counter()
        score(data["long"])
        answer = {
            "train_s": seconds,
            "held_out": found,
            "docs_per_s": len(found) / (middle - begin),
            "long_docs_per_s": len(data["long"]) / (time.perf_counter() - middle),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""The demo from pages to scores: minutes, scores with their bars, and what it took.

    .venv/bin/python bench/demo.py [--runs FOLDER]

No peer runs beside it. `--runs` keeps the run below that folder; one that is finished there is read, not run again. The
last line is one JSON document, which is also written to bench/records/demo.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import machine, publish

FIELDS = ("value", "low", "high", "num_cases", "baseline", "bar", "passed")


def main() -> int:
    """Run the recipe, print the scores and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", default="", help="keep the run below this folder")
    parser.add_argument("--no-record", action="store_true", help="do not write bench/records")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        runs = options.runs or scratch
        command = [sys.executable, "-m", "hornbook.cli.main", "run", "demo", "--runs", runs, "--json"]
        lines = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()
        result = json.loads(lines[-1]) if lines else {"state": "failed"}
        if result["state"] != "complete":
            print(f"the demo ended as {result['state']}", file=sys.stderr)
            return 1
        seconds = built_seconds(Path(runs) / "demo" / "timings.jsonl")
    publish(summary(result, seconds), not options.no_record)
    return 0


def built_seconds(timings: Path) -> float:
    """Seconds of all stages, each as it was built last."""
    entries = [json.loads(line) for line in timings.read_text().splitlines()]
    return sum({e["id"]: e["duration_s"] for e in entries if e["outcome"] == "built"}.values())


def summary(result: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The table and the record."""
    scores = {score["name"]: {field: score[field] for field in FIELDS} for score in result["scores"]}
    for name, score in scores.items():
        bar = "" if score["bar"] is None else f"bar {score['bar']}"
        print(f"{name:24} {score['value']:8.3f}  of {score['num_cases']:4}  {bar}")
    (counts,) = (stage["counts"] for stage in result["stages"] if stage["stage"] == "pretrain.causal")
    return {
        "name": "demo",
        "ours": round(seconds),
        "peers": {},
        "ratio": None,
        "unit": "seconds",
        "scores": scores,
        "training": {name: counts[name] for name in ("parameters", "tokens", "steps", "flops", "seconds")},
        "machine": machine(),
    }


if __name__ == "__main__":
    sys.exit(main())

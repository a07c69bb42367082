"""Bits per byte on TinyStories after 4e14 training FLOPs: the recipe `stories` from text to score.

    HORNBOOK_DATA=/my/texts .venv/bin/python bench/train_quality.py [--flops 4e14] [--runs FOLDER] [--set ID.KEY=VALUE]

Needs tinystories/train.txt and valid.txt below HORNBOOK_DATA. Measured on raw UTF-8 bytes, document by document, BOS
first, in fp32 (`evaluate.perplexity`). No peer runs beside it: 4e14 FLOPs of another trainer would take hours here.
The last line is one JSON document, which is also written to bench/records/train_quality.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import machine, publish

ROOT = Path(__file__).parents[1]
TARGET = 0.75


def main() -> int:
    """Run the recipe, print the scores and the JSON line."""
    options = parse_options()
    with tempfile.TemporaryDirectory() as scratch:
        result = run_recipe(options, Path(options.runs or scratch))
    if result["state"] != "complete":
        print(f"the recipe ended as {result['state']}: {result['error']}", file=sys.stderr)
        return 1
    publish(summary(result, options), not options.no_record)
    return 0


def run_recipe(options: argparse.Namespace, runs: Path) -> dict[str, Any]:
    """`hornbook run stories` with a budget in FLOPs; the JSON document it ends with."""
    settings = ["base.budget=", f"base.total_flops={options.flops}", *options.set]
    command = [sys.executable, "-m", "hornbook.cli.main", "run", str(ROOT / "recipes" / "stories.toml"), "--json"]
    command += ["--runs", str(runs), *(word for setting in settings for word in ("--set", setting))]
    found = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    lines = found.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {"state": "failed", "error": "it wrote nothing"}


def summary(result: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """The score with its interval, and what the training took."""
    (score,) = [s for s in result["scores"] if "bits_per_byte" in s["name"].replace(" ", "_")][:1]
    (base,) = [stage for stage in result["stages"] if stage["stage"] == "pretrain.causal"]
    counts = base["counts"]
    print(f"{score['value']:.4f} bits per byte [{score['low']:.4f}, {score['high']:.4f}], target {TARGET}")
    print(f"{counts['flops']:.3g} FLOPs in {counts['seconds']:.0f} s, {counts['tokens']:,} tokens")
    return {
        "name": "train_quality",
        "ours": round(score["value"], 4),
        "peers": {},
        "ratio": None,
        "unit": "bits/byte",
        "low": score["low"],
        "high": score["high"],
        "num_cases": score["num_cases"],
        "target": TARGET,
        "training": {name: counts[name] for name in ("parameters", "tokens", "steps", "flops", "seconds")},
        "flops_per_s": round(counts["flops_per_s"]),
        "settings": options.set,
        "machine": machine(),
    }


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--flops", type=float, default=4e14, help="training FLOPs to spend")
    parser.add_argument("--runs", default="", help="keep the run below this folder (and go on with one that is there)")
    parser.add_argument("--set", action="append", default=[], metavar="ID.KEY=VALUE", help="change a setting")
    parser.add_argument("--no-record", action="store_true", help="do not write bench/records")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

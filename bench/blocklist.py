"""Block lists in Adblock syntax: the same answers as braveblock and adblockparser, and the time for an address.

    HORNBOOK_DATA=/my/data .venv/bin/python bench/blocklist.py [--data FOLDER] [--repeats 5] [--addresses 20000]

Reads `lists/easylist.txt.gz` and the links in web pages `web/**/*.html*` below the folder of data, and adds an address
on each of 3,000 hosts that the list blocks. braveblock (Brave's engine, in Rust) knows no popups, so that it is asked
about the other page rules; adblockparser (Python, 80 ms an address) about 300 addresses and rules without options. They
live in an environment of their own: `python3 -m venv .peers && .peers/bin/pip install braveblock adblockparser`. The
last line is one JSON document, which is also written to bench/records/blocklist.json.
"""

import argparse
import gzip
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import machine, publish

from hornbook.data.web.adblock import parse_address, parse_rule, rule_set

HERE = Path(__file__).parent
PEERS_PYTHON = HERE.parent / ".peers/bin/python"
LINK = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&+,;=%-]{4,400}")
NUM_HOSTS, NUM_SLOW = 3000, 300


def main() -> int:
    """Measure, print a table and the JSON line."""
    options = parse_options()
    file = options.data / "lists/easylist.txt.gz"
    if not file.is_file():
        print(f"no list is at {file}: set HORNBOOK_DATA or --data", file=sys.stderr)
        return 2
    lines = gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()
    pages = [line for line in lines if (rule := parse_rule(line)) and rule.as_page]
    bare = [line for line in lines if "$" not in line and parse_rule(line, "any")]
    addresses = real_addresses(options.data, options.addresses) + listed_addresses(pages)
    seconds: dict[str, list[float]] = {"hornbook": [], "braveblock": [], "adblockparser": []}
    agreement: dict[str, str] = {}
    for turn in range(options.repeats):
        for name, rules, asked in (
            ("braveblock", pages, addresses),
            ("adblockparser", bare, addresses[-NUM_SLOW // 2 :] + addresses[: NUM_SLOW // 2]),
        ):
            mine = ours(rules, asked, "page" if name == "braveblock" else "any")
            theirs = peer(name, rules, asked) if name == "braveblock" or turn == 0 else None
            if name == "braveblock":
                seconds["hornbook"].append(mine["seconds"] / len(asked))
            if theirs:
                seconds[name].append(theirs["seconds"] / len(asked))
                same = sum(a == b for a, b in zip(mine["blocked"], theirs["blocked"], strict=True))
                agreement[name] = f"{same} of {len(asked)} alike, {sum(mine['blocked'])} blocked"
    publish(summary(seconds, agreement, len(pages), options), not options.no_record)
    return 0


def parse_options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("HORNBOOK_DATA", "data")))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--addresses", type=int, default=20_000)
    parser.add_argument("--no-record", action="store_true")
    return parser.parse_args()


def real_addresses(data: Path, number: int) -> list[str]:
    """Links in web pages, drawn by a fixed seed."""
    found: set[str] = set()
    for file in sorted((data / "web").rglob("*.html*")):
        content = file.read_bytes()
        found.update(
            LINK.findall((gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8", "replace"))
        )
    return random.Random(1).sample(sorted(found), min(number, len(found)))


def listed_addresses(rules: list[str]) -> list[str]:
    """A page on each of some hosts that the rules block."""
    hosts = [
        rule[2:].partition("^")[0] for rule in rules if rule.startswith("||") and "/" not in rule and "*" not in rule
    ]
    return [f"https://www.{host}/page?x=1" for host in random.Random(2).sample(hosts, min(NUM_HOSTS, len(hosts)))]


def ours(rules: list[str], addresses: list[str], reading: Any) -> dict[str, Any]:
    """What a peer answers, from us."""
    found = rule_set(rules, reading)
    start = time.perf_counter()
    blocked = [found.blocks(parse_address(address)) is not None for address in addresses]
    return {"seconds": time.perf_counter() - start, "blocked": blocked}


def peer(name: str, rules: list[str], addresses: list[str]) -> dict[str, Any] | None:
    """A peer's answer, None where it is not installed."""
    if not PEERS_PYTHON.exists():
        return None
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / "rules", Path(scratch) / "addresses"]
        for file, lines in zip(files, (rules, addresses), strict=True):
            file.write_text("\n".join(lines), "utf-8")
        command = [str(PEERS_PYTHON), str(HERE / "blocklist_peer.py"), name, *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def summary(
    seconds: dict[str, list[float]], agreement: dict[str, str], num_rules: int, options: argparse.Namespace
) -> dict[str, Any]:
    """The table, printed, and the record."""
    medians = {name: statistics.median(took) * 1e6 for name, took in seconds.items() if took}
    print(f"{num_rules} rules about pages; microseconds an address, {options.repeats} turns")
    for name, median in medians.items():
        print(f"  {name:14} {median:10.2f}   {agreement.get(name, '')}")
    for name in seconds.keys() - medians.keys():
        print(f"  {name:14} is not installed")
    mine = medians.pop("hornbook")
    return {
        "name": "blocklist",
        "ours": round(mine, 3),
        "peers": {name: round(median, 3) for name, median in medians.items()},
        "ratio": round(mine / medians["braveblock"], 2) if "braveblock" in medians else None,
        "unit": "microseconds an address",
        "agreement": agreement,
        "rules": num_rules,
        "repeats": options.repeats,
        "machine": machine(),
    }


if __name__ == "__main__":
    sys.exit(main())

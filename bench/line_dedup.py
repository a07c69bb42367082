"""Menus and footers around real stories: how many planted lines data.line_dedup cuts, and whether it cuts a story's.

    HORNBOOK_DATA=/my/data .venv/bin/python bench/line_dedup.py [--data FOLDER] [--stories 6000] [--no-record]

FOLDER (default HORNBOOK_DATA) holds `tinystories/train.txt` and, where there is one, `kids_storybooks/en.jsonl`. Each
host has 8 to 400 of the stories, a menu and a footer in one of five styles, with dates and numbers that change. The
stories are cut twice: as they are, and with a line for each sentence; and once without anything planted, where nothing
may go. The last line is one JSON document, which is also written to bench/records/line_dedup.json.
"""

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from record import machine, publish

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, read_documents, to_table
from hornbook.core.recipe import Machine
from hornbook.data import line_dedup

SHARDS = 4
SENTENCE = re.compile(r"(?<=[.!?])\s+")
STYLES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("{host}", "Home", "All tales", "About us", "Contact"),
        ("© 2024 {host}. All rights reserved.", "Privacy policy", "Terms of use"),
    ),
    (
        ("Home | Books | Authors | Search", "Posted on {day} May 2024 by Admin"),
        ("Share this page", "{number} comments", "Copyright {host}"),
    ),
    (
        ("You are here: Home > Library", "Log in / Register / Cart ({number})"),
        ("Subscribe to our newsletter", "Follow us: Facebook, Twitter", "Page made in 0.{number} seconds"),
    ),
    (
        ("Skip to content", "Menu", "Search {host}"),
        ("« Previous", "Next »", "Come back tomorrow for another one.", "{number} readers online"),
    ),
    (
        ("HOME", "BLOG", "SHOP ({number})", "Updated {day} March 2023"),
        ("Did you like it? Tell your friends.", "Read more", "Tags: kids, bedtime", "Designed by {host}"),
    ),
)
"""Lines above and below the text of a page. The last footer begins with prose: what reads so belongs to the text."""


def main() -> None:
    """Plant, cut, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("HORNBOOK_DATA", "data")))
    parser.add_argument("--stories", type=int, default=6000)
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    stories = read_stories(options.data)[: options.stories]
    sides: dict[str, tuple[list[list[str]], bool]] = {
        "as they are": ([_lines(story) for story in stories], True),
        "a line for each sentence": ([_sentences(story) for story in stories], True),
        "nothing planted": ([_lines(story) for story in stories], False),
    }
    rows = {name: measured(lines, plant) for name, (lines, plant) in sides.items()}
    for name, row in rows.items():
        print(f"{name:26s} planted {row['planted']:7,d}  cut {row['planted_cut']:7,d}   of stories "
              f"{row['story_lines']:8,d}  cut {row['story_cut']:5,d}   {row['seconds']:.1f} s")  # fmt: skip
    planted = [row for row in rows.values() if row["planted"]]
    share = sum(row["planted_cut"] for row in planted) / sum(row["planted"] for row in planted)
    record = {"name": "line_dedup", "ours": round(share, 4), "peers": {}, "ratio": None, "unit": "planted lines cut"}
    publish(record | {"stories": len(stories), "sides": rows, "machine": machine()}, not options.no_record)


def read_stories(data: Path) -> list[str]:
    """The stories, long and short ones mixed, always in the same order."""
    file = data / "tinystories/train.txt"
    if not file.exists():
        sys.exit(f"no stories at {file}: give --data or set HORNBOOK_DATA")
    found = [story.strip() for story in file.read_text("utf-8").split("<|endoftext|>")]
    books = data / "kids_storybooks/en.jsonl"
    if books.exists():
        with books.open(encoding="utf-8") as lines:
            found += [json.loads(line)["text"].strip() for line in lines]
    found = sorted({story for story in found if story})
    random.Random(3).shuffle(found)
    return found


def _lines(story: str) -> list[str]:
    return [line.strip() for line in story.splitlines() if line.strip()]


def _sentences(story: str) -> list[str]:
    return [sentence for line in _lines(story) for sentence in SENTENCE.split(line)]


def measured(stories: list[list[str]], plant: bool) -> dict[str, Any]:
    """Lines planted and cut, lines of stories and cut, seconds of the stage."""
    dice = random.Random(11)
    pages: list[tuple[list[str], int, int]] = []
    documents: list[Document] = []
    host_number = left = 0
    for number, story in enumerate(stories):
        if not left:
            host_number, left = host_number + 1, dice.randrange(8, 401)
        left -= 1
        host = f"tales{host_number}.example"
        top, bottom = (_filled(part, host, dice) for part in STYLES[host_number % len(STYLES)]) if plant else ([], [])
        pages.append(([*top, *story, *bottom], len(top), len(bottom)))
        documents.append(Document(f"{number:06d}", "\n".join(pages[-1][0]), f"https://{host}/{number}"))
    with tempfile.TemporaryDirectory() as scratch:
        kept, seconds = cut(documents, Path(scratch))
    counts = [0, 0, 0, 0]
    for document, (lines, num_top, num_bottom) in zip(documents, pages, strict=True):
        gone = missing(lines, kept.get(document.id, "").split("\n"))
        for place in range(len(lines)):
            is_story = num_top <= place < len(lines) - num_bottom
            counts[2 * is_story] += 1
            counts[2 * is_story + 1] += place in gone
    names = ("planted", "planted_cut", "story_lines", "story_cut")
    return dict(zip(names, counts, strict=True)) | {"seconds": round(seconds, 2)}


def _filled(lines: tuple[str, ...], host: str, dice: random.Random) -> list[str]:
    return [line.format(host=host, day=dice.randrange(1, 31), number=dice.randrange(1000)) for line in lines]


def cut(documents: list[Document], folder: Path) -> tuple[dict[str, str], float]:
    """The texts that data.line_dedup leaves, by id, and how long it takes."""
    (folder / "in/kept").mkdir(parents=True)
    for shard in range(SHARDS):
        pq.write_table(to_table(documents[shard::SHARDS]), folder / f"in/kept/{shard:05d}.parquet")
    given = Artifact(folder / "in", Manifest("documents", counts={"docs": len(documents)}))
    out = scratch_out(folder / "out", machine=Machine(workers=2))
    began = time.monotonic()
    line_dedup.run(line_dedup.Settings(), {"documents": given}, out)
    took = time.monotonic() - began
    return {document.id: document.text for document in read_documents(folder / "out")}, took


def missing(lines: list[str], kept: list[str]) -> set[int]:
    """Places of the lines that are not among the kept ones, which stand in the same order."""
    found = (line for line in kept if line.strip())
    following = next(found, None)
    gone: set[int] = set()
    for place, line in enumerate(lines):
        if line == following:
            following = next(found, None)
        else:
            gone.add(place)
    return gone


if __name__ == "__main__":
    main()

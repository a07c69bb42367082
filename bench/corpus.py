"""Documents with planted duplicates, the same for the same seed, by the gigabyte; and the memory of a process."""

import gzip
import json
import os
import random
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FUNCTION_WORDS = (
    "the of and to a in is that it was for on as with be by at this had not are but from or have an they which "
    "one you were all her she there would their we him been has when who will no more if out so what up its "
    "about into than them can only other time some could these two may first then do any like my now over such "
    "our even most me after also made did many off before must well back through years much where your way "
    "down should because long each just those people too mr how little state good very make world still see "
    "own work men day get here old life both between being "
).split()
SITES = 400
MENU = ("Home", "Stories", "About this site", "Contact", "Search")


@dataclass(frozen=True)
class Doc:
    """A document; `kind`: own, copy, near, address (of another document: `of`)."""

    text: str
    url: str
    kind: str
    of: str = ""


def blocks(seed: int, block: int, docs: int, mean_words: int = 480) -> Iterator[Doc]:
    """One block of documents.

    70 % their own text; 10 % exact and 15 % near copies of documents before them in the block, 5 % the same address
    with tracking parameters. A tenth of the first carries one of 50 passages of 80 words that all blocks share.
    """
    generator = np.random.default_rng([seed, block])
    dice = random.Random(seed * 1_000_003 + block)
    table = _table(seed)
    passages = [_prose(np.random.default_rng([seed, 10**6 + n]), table, 80) for n in range(50)]
    before: list[tuple[str, str]] = []
    for number in range(docs):
        url = f"https://site{dice.randrange(SITES)}.example/{block}/{number}"
        roll = dice.random()
        if roll < 0.7 or not before:
            words = max(40, int(generator.lognormal(np.log(mean_words), 0.6)))
            text, kind, of = _prose(generator, table, words), "own", ""
            if dice.random() < 0.1:
                text = f"{text}\n\n{dice.choice(passages)}"
        else:
            text, of = dice.choice(before)
            kind = "copy" if roll < 0.8 else "near" if roll < 0.95 else "address"
            if kind == "near":
                text = edited(text, dice.uniform(0.01, 0.12), dice, _prose(generator, table, 40))
            elif kind == "address":
                url, text = f"{of}?utm_source=x{number}", text + " And so on."
        before.append((text, url))
        if len(before) > 2000:
            before.pop(0)
        yield Doc(text, url, kind, of)


def edited(text: str, share: float, dice: random.Random, new: str) -> str:
    """The text with about a share of its words replaced in one to three places (or taken out, or moved)."""
    words = text.split(" ")
    places = dice.choice((1, 1, 2, 3))
    for _ in range(places):
        size = max(1, int(share * len(words) / places))
        begin = dice.randrange(max(1, len(words) - size))
        part = words[begin : begin + size]
        how = dice.choice(("replace", "replace", "delete", "insert", "move"))
        if how != "insert":
            del words[begin : begin + size]
        if how in ("replace", "insert"):
            words[begin:begin] = dice.sample(new.split(), min(size, len(new.split())))
        elif how == "move":
            place = dice.randrange(len(words) + 1)
            words[place:place] = part
    return " ".join(words)


def page(doc: Doc, number: int) -> bytes:
    """A document as its site shows it: a menu, paragraphs, a footer."""
    host = doc.url.split("/")[2]
    menu = "".join(f'<li><a href="/{n}">{name}</a></li>' for n, name in enumerate(MENU))
    body = "".join(f"<p>{part}</p>" for part in doc.text.split("\n\n"))
    html = (
        f"<!doctype html><html><head><title>{host} {number}</title></head><body><nav><ul>{menu}</ul></nav>"
        f"<article><h1>Page {number}</h1>{body}</article><footer><p>Copyright {2000 + number % 25} {host}. "
        "All rights reserved.</p></footer></body></html>"
    )
    return html.encode()


def furnished(doc: Doc, number: int) -> str:
    """A document as text with its site's menu and footer, which a poor extraction leaves."""
    host = doc.url.split("/")[2]
    return "\n".join((*MENU, doc.text, f"Copyright {2000 + number % 25} {host}. All rights reserved."))


def write_jsonl(folder: Path, total_bytes: int, seed: int = 1, block_docs: int = 10_000) -> int:
    """Write JSON lines until so many bytes are there; returns the documents."""
    folder.mkdir(parents=True, exist_ok=True)
    written = docs = block = 0
    while written < total_bytes:
        with (folder / f"{block:05d}.jsonl").open("w", encoding="utf-8") as out:
            for number, doc in enumerate(blocks(seed, block, block_docs)):
                written += out.write(json.dumps({"text": furnished(doc, number), "url": doc.url}) + "\n")
                docs += 1
                if written >= total_bytes:
                    break
        block += 1
    return docs


def write_warc(folder: Path, total_bytes: int, seed: int = 1, block_docs: int = 5000) -> int:
    """Write WARC files (compressed, a member for each page) of so many bytes of HTML; returns the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    written = docs = block = 0
    while written < total_bytes:
        with (folder / f"{block:05d}.warc.gz").open("wb") as out:
            for number, doc in enumerate(blocks(seed, block, block_docs)):
                body = page(doc, number)
                out.write(_response(doc.url, body, f"{block:08x}-0000-4000-8000-{number:012x}"))
                written += len(body)
                docs += 1
                if written >= total_bytes:
                    break
        block += 1
    return docs


def _response(url: str, body: bytes, identity: str) -> bytes:
    """A WARC response as a gzip member of its own."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    content = head.encode() + body
    fields = {
        "WARC-Type": "response",
        "WARC-Target-URI": url,
        "WARC-Date": "2024-01-01T00:00:00Z",
        "WARC-Record-ID": f"<urn:uuid:{identity}>",
        "Content-Type": "application/http; msgtype=response",
        "Content-Length": str(len(content)),
    }
    record = "WARC/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    return gzip.compress(record.encode() + content + b"\r\n\r\n", 1, mtime=0)


def _table(seed: int) -> np.ndarray:
    """Words as often as in a language (Zipf): function words first, then invented ones, some with a mark after them."""
    dice = random.Random(seed)
    parts = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "ot", "un")]
    invented = ["".join(dice.choices(parts, k=dice.choice((1, 2, 2, 3)))) for _ in range(30_000)]
    words = np.array([*FUNCTION_WORDS, *invented], dtype=object)
    shares = 1 / (np.arange(len(words)) + 2.7)
    table = words[np.random.default_rng(seed).choice(len(words), 1 << 20, p=shares / shares.sum())]
    place = np.arange(len(table)) % 97
    table[place % 13 == 12] += "."
    table[place % 17 == 9] += ","
    return table


def _prose(generator: np.random.Generator, table: np.ndarray, words: int) -> str:
    """So many words; paragraphs of about 90."""
    picked = table[generator.integers(0, len(table), words)].tolist()
    return ".\n\n".join(" ".join(picked[at : at + 90]) for at in range(0, words, 90)) + "."


def cpu_seconds() -> float:
    """CPU time of all processes that this one started and that have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def watch_memory(pid: int, every_s: float = 0.1) -> Iterator[dict[str, Any]]:
    """The greatest memory of a process with all its children meanwhile, in MB: resident, and with what they share once.

    Fills `rss_mb` and `pss_mb` of what it yields when the block ends. Linux only (/proc).
    """
    found: dict[str, Any] = {"rss_mb": 0.0, "pss_mb": 0.0}
    over = threading.Event()

    def sample() -> None:
        while not over.is_set():
            pids = _tree(pid)
            for field, file, label in (("rss_mb", "status", "VmRSS:"), ("pss_mb", "smaps_rollup", "Pss:")):
                total = sum(_kilobytes(Path(f"/proc/{p}/{file}"), label) for p in pids) / 1000
                found[field] = max(found[field], round(total, 1))
            time.sleep(every_s)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def _tree(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        process = waiting.pop()
        found.append(process)
        for task in _listed(f"/proc/{process}/task"):
            try:
                waiting += map(int, Path(f"/proc/{process}/task/{task}/children").read_text().split())
            except OSError:
                continue
    return found


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _kilobytes(file: Path, label: str) -> int:
    try:
        for line in file.read_text().splitlines():
            if line.startswith(label):
                return int(line.split()[1])
    except OSError:
        pass
    return 0

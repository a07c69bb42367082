"""A small imitation of Common Crawl: WARC, WET and WAT files, their lists, and the index of the pages."""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import warcs

CRAWL = "CC-MAIN-2026-05"
LINES_PER_BLOCK = 5


def surt(url: str) -> str:
    """The index key of an address."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    return f"{','.join(reversed(host.split('.')))}){parts.path.lower() or '/'}"


def build(root: Path, pages: list[tuple[str, str, str]]) -> dict[str, bytes]:
    """Write a crawl of (address, HTML, language) in two WARC files; returns the record of each address."""
    names = [f"crawl-data/{CRAWL}/segments/1/warc/part-{number:05d}.warc.gz" for number in range(2)]
    members: dict[str, bytes] = {}
    lines: list[str] = []
    for number, name in enumerate(names):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as out:
            for url, html, language in pages[number::2]:
                member = gzip.compress(warcs.response(url, html), mtime=0)
                digest = base64.b32encode(hashlib.sha1(html.encode()).digest()).decode()
                about = {"url": url, "mime": "text/html", "mime-detected": "text/html", "status": "200"}
                about |= {"digest": digest, "length": str(len(member)), "offset": str(out.tell())}
                about |= {"charset": "UTF-8", "languages": language, "filename": name}
                lines.append(f"{surt(url)} 20260131093000 {json.dumps(about)}")
                out.write(member)
                members[url] = member
    lists = root / f"crawl-data/{CRAWL}"
    (lists / "warc.paths.gz").write_bytes(gzip.compress("".join(f"{name}\n" for name in names).encode()))
    index(root, sorted(lines))
    return members


def index(root: Path, lines: list[str]) -> None:
    """Write index lines as blocks in two files, and cluster.idx."""
    folder = root / f"cc-index/collections/{CRAWL}/indexes"
    folder.mkdir(parents=True, exist_ok=True)
    clusters: list[str] = []
    blocks = [lines[i : i + LINES_PER_BLOCK] for i in range(0, len(lines), LINES_PER_BLOCK)]
    for number in range(2):
        name = f"cdx-{number:05d}.gz"
        half = (len(blocks) + 1) // 2
        with (folder / name).open("wb") as out:
            for block in blocks[number * half : (number + 1) * half]:
                data = gzip.compress("".join(f"{line}\n" for line in block).encode(), mtime=0)
                key = " ".join(block[0].split(" ")[:2])
                clusters.append(f"{key}\t{name}\t{out.tell()}\t{len(data)}\t{len(clusters) + 1}\n")
                out.write(data)
    (folder / "cluster.idx").write_text("".join(clusters))

"""Thousands of mutated WARC records: none crashes or hangs the stage, and the funnel accounts for every one."""

import gzip
import random
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import scratch_out
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import extract
from hornbook.data.ledger import read_funnel

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import warcs

Random = random.Random


def cut(page: bytes, draw: Random) -> bytes:
    return page[: draw.randrange(len(page))]


def flip_bits(page: bytes, draw: Random) -> bytes:
    found = bytearray(page)
    for _ in range(draw.randrange(1, 60)):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def splice(page: bytes, draw: Random) -> bytes:
    found = bytearray(page)
    for _ in range(draw.randrange(1, 20)):
        at = draw.randrange(len(found))
        found[at : at + draw.randrange(40)] = draw.randbytes(draw.randrange(40))
    return bytes(found)


def nest(page: bytes, draw: Random) -> bytes:
    tag = draw.choice([b"<div>", b"<b>", b"<table><tr><td>", b"<ul><li>", b"<blockquote>", b"<font>", b"<p><span>"])
    return page.replace(b"<article>", b"<article>" + tag * draw.choice([90, 900, 10_000]))


def huge_attribute(page: bytes, draw: Random) -> bytes:
    value = draw.choice([b"a" * 1_000_000, b"/x" * 200_000, b"x=1 " * 50_000, b"data:;base64," + b"QUJD" * 100_000])
    return page.replace(b"<article>", b'<article><a href="' + value + b'">there</a>')


def nulls(page: bytes, draw: Random) -> bytes:
    return page.replace(b" ", b"\0" * draw.randrange(1, 9), draw.randrange(1, 200))


def many(page: bytes, draw: Random) -> bytes:
    bits = [
        b"<tr><td>1",
        b"&#",
        b"<!--",
        b"<",
        b"<![CDATA[",
        b"&amp;",
        b"<br>",
        b"</p>",
        b"<script>",
        b"\xff\xfe",
        b"<a>",
    ]
    return page.replace(b"<p>", b"<p>" + draw.choice(bits) * draw.choice([10, 1000, 20_000]), 1)


def spans(page: bytes, draw: Random) -> bytes:
    return page.replace(b"<p>", b"<table><td colspan=9007199254740991 rowspan=65534>x</table><p>", 1)


def recode(page: bytes, draw: Random) -> bytes:
    name = draw.choice(["utf-16", "utf-16-be", "utf-32", "cp037", "utf-7"])
    return page.decode().encode(name)


PAYLOADS: list[Callable[[bytes, Random], bytes]] = [
    cut,
    flip_bits,
    splice,
    nest,
    huge_attribute,
    nulls,
    many,
    spans,
    recode,
]


def wrong_length(record: bytes, draw: Random) -> bytes:
    head, _, rest = record.partition(b"Content-Length: ")
    return gzip.compress(head + b"Content-Length: %d" % draw.choice([0, 7, 10**6, 10**15]) + rest[rest.index(b"\r") :])


def broken_head(record: bytes, draw: Random) -> bytes:
    return gzip.compress(flip_bits(record[:250], draw) + record[250:])


def cut_member(record: bytes, draw: Random) -> bytes:
    member = gzip.compress(record)
    return member[: draw.randrange(3, len(member))]


def flip_member(record: bytes, draw: Random) -> bytes:
    return flip_bits(gzip.compress(record), draw)


def bomb(record: bytes, draw: Random) -> bytes:
    zeros = b"\0" * (80_000_000 if draw.random() < 0.1 else 8_000_000)
    return gzip.compress(warcs.response("https://bomb.example/", zeros), 1)


def encoded(record: bytes, draw: Random) -> bytes:
    """A payload that claims to be compressed, and is, is not, is cut or is a bomb."""
    body = zlib.compress(b"<p>" + b"\0" * draw.choice([100, 30_000_000]))
    body = draw.choice([body, body[: len(body) // 2], b"<p>plain", draw.randbytes(500)])
    coding = draw.choice(["gzip", "deflate", "br", "zstd", "nonsense"])
    return gzip.compress(warcs.response("https://coded.example/", body, extra=f"Content-Encoding: {coding}\r\n"))


MEMBERS: list[Callable[[bytes, Random], bytes]] = [
    wrong_length,
    broken_head,
    cut_member,
    flip_member,
    bomb,
    encoded,
]


def crawl(num: int, seed: int) -> tuple[bytes, int, set[str]]:
    """A WARC file of `num` mutated records, how many it holds with the sound ones among them, and those's addresses."""
    draw = Random(seed)
    parts: list[bytes] = []
    sound: set[str] = set()
    for number in range(num):
        page = warcs.page(f"hard times {number}").encode()
        mutate = (PAYLOADS + MEMBERS)[number % (len(PAYLOADS) + len(MEMBERS))]
        if mutate in PAYLOADS:
            parts.append(gzip.compress(warcs.response(f"https://bad.example/{number}", mutate(page, draw))))
        else:
            parts.append(mutate(warcs.response(f"https://bad.example/{number}", page), draw))
        if number % 5 == 0 or mutate in MEMBERS:  # beside each other, two damaged members may look like one
            sound.add(f"https://sound.example/{number}")
            parts.append(gzip.compress(warcs.response(f"https://sound.example/{number}", page)))
    return b"".join(parts), len(parts), sound


@pytest.mark.parametrize(
    ("profile", "num"),
    [
        ("fast", 450),
        ("precise", 150),
        pytest.param("fast", 10_000, marks=pytest.mark.slow),
        pytest.param("precise", 10_000, marks=pytest.mark.slow),
    ],
)
def test_every_mutated_record_is_accounted_for(tmp_path: Path, profile: str, num: int) -> None:
    data, num_records, sound = crawl(num, seed=num)
    (tmp_path / "a.warc.gz").write_bytes(data)
    out = scratch_out(tmp_path / "out", machine=Machine(workers=2))
    settings: dict[str, Any] = {"path": str(tmp_path / "a.warc.gz"), "profile": profile, "page_cpu_s": 5.0}
    extract.run(parse(extract.Settings, settings, "test"), {}, out)
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == funnel["kept"] + sum(funnel["dropped"].values())
    rows = [row for f in sorted((tmp_path / "out/kept").glob("*")) for row in pq.read_table(f).to_pylist()]
    print(funnel, num_records)
    assert sound <= {row["url"] for row in rows}
    assert set(funnel["dropped"]) <= set(extract.RULES) and "extract.crash" not in funnel["dropped"]
    assert funnel["dropped"].get("extract.timeout", 0) == 0
    # a record may break into several findings, but none may vanish
    assert funnel["in"] + sum(funnel["others"].values()) >= num_records
    assert len({row["id"] for row in rows}) == len(rows) and max(Counter(r["id"] for r in rows).values()) == 1

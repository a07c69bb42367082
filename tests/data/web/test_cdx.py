import gzip
import json
import random
from collections.abc import Iterator

import pytest

from hornbook.core.errors import SettingsError
from hornbook.data.web import cdx
from hornbook.data.web.cdx import Block, Capture, find_blocks, key_range, read_block

LINE = (
    'org,example)/a 20260131093000 {"url": "https://example.org/a", "mime": "text/html", "mime-detected": '
    '"text/plain", "status": "200", "digest": "ABC", "length": "120", "offset": "7", "filename": "w.gz", '
    '"languages": "eng,deu"}'
)


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("example.org", ("org,example)", "org,example-")),
        ("https://www.Example.org/", ("org,example)", "org,example-")),
        ("a.b.example.org", ("org,example,b,a)", "org,example,b,a-")),
        ("example.org/Blog", ("org,example)/blog", "org,example)/bloh")),
        ("bücher.example", ("example,xn--bcher-kva)", "example,xn--bcher-kva-")),
    ],
)
def test_keys_of_domains(domain: str, expected: tuple[str, str]) -> None:
    assert key_range(domain) == expected


def test_a_domain_holds_its_subdomains_and_no_neighbour() -> None:
    begin, end = key_range("example.org")
    for key in ("org,example)/", "org,example)/z", "org,example,blog)/", "org,example,a,b)/x"):
        assert begin <= key < end
    for key in ("org,example-shop)/", "org,examplf)/", "org,exampl)/", "org,example2)/", "com,example)/"):
        assert not begin <= key < end
    for domain in ("", "a b", "/x", "exa$mple"):
        with pytest.raises(SettingsError, match="is no domain"):
            key_range(domain)


def test_the_blocks_of_any_range_are_found_with_few_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdx, "STEP_BYTES", 400)
    monkeypatch.setattr(cdx, "PROBE_BYTES", 100)
    draw = random.Random(4)
    keys = sorted({f"org,{''.join(draw.choices('abc', k=6))})/{draw.randrange(99)}" for _ in range(4000)})
    firsts = keys[::3]
    lines = [f"{key} 20260101000000\tcdx-{i % 7}.gz\t{i}\t9\t{i}\n" for i, key in enumerate(firsts)]
    data = "".join(lines).encode()
    reads: list[int] = []

    def read(begin: int, length: int) -> bytes:
        reads.append(length)
        return data[begin : begin + length]

    for _ in range(200):
        begin, end = sorted((draw.choice(keys), draw.choice([*keys, "zzz", "aaa"])))
        found = [block.offset for block in find_blocks(read, len(data), begin, end)]
        wanted = {i // 3 for i, key in enumerate(keys) if begin <= key < end}
        assert wanted <= set(found) and len(found) <= len(wanted) + 1
        assert found == sorted(found)
    reads.clear()
    list(find_blocks(read, len(data), keys[2000], keys[2000] + "0"))
    assert len(data) > 40_000 and len(reads) <= 12  # log2(40,000 / 400) = 6.6, and the lines


def test_a_key_that_goes_on_over_many_blocks_is_found_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdx, "STEP_BYTES", 100)
    monkeypatch.setattr(cdx, "PROBE_BYTES", 100)
    keys = [f"a{i:03d}" for i in range(100)] + ["m"] * 200 + [f"z{i:03d}" for i in range(100)]
    data = "".join(f"{key} 1\tf\t{i}\t5\t1\n" for i, key in enumerate(keys)).encode()
    found = find_blocks(lambda at, n: data[at : at + n], len(data), "m", "n")
    assert [block.offset for block in found] == list(range(99, 300))  # block 99 may end with "m"


def test_blocks_of_tiny_indexes_and_equal_keys() -> None:
    def find(lines: list[str], begin: str, end: str) -> Iterator[Block]:
        data = "".join(lines).encode()
        return find_blocks(lambda at, n: data[at : at + n], len(data), begin, end)

    one = ["b 1\tf\t0\t5\t1\n"]
    assert [block.offset for block in find(one, "a", "c")] == [0] and list(find([], "a", "c")) == []
    assert [block.offset for block in find(one, "c", "d")] == [0]  # its lines may go on past "c"
    assert list(find(one, "a", "b")) == []
    same = [f"k {n}\tf\t{n}\t5\t1\n" for n in range(4)]
    assert [block.offset for block in find(["a 1\tf\t9\t5\t1\n", *same], "k", "l")] == [9, 0, 1, 2, 3]
    assert len(list(find([*same[:3], same[3].rstrip()], "k", "l"))) == 4


def test_lines_are_read_and_broken_ones_come_as_they_are() -> None:
    other = LINE.replace("org,example)/a", "org,zebra)/")
    data = gzip.compress("\n".join([LINE, "org,example)/b 2026 {broken", other, "org,example)/c"]).encode())
    first, second, third = read_block(data, "org,example)", "org,example-")
    assert first == Capture(
        "org,example)/a",
        "20260131093000",
        "https://example.org/a",
        "w.gz",
        7,
        120,
        200,
        "text/plain",
        ("eng", "deu"),
        "ABC",
    )
    assert (second, third) == ("org,example)/b 2026 {broken", "org,example)/c")
    [damaged] = read_block(data[:-9], "a", "z")
    assert isinstance(damaged, str) and damaged.startswith("damaged block")


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("de.example.org/wiki/Köln", "org,example,de)/wiki/k%c3%b6ln"),
        ("example.org/wiki/K%C3%B6ln", "org,example)/wiki/k%c3%b6ln"),
        ("example.org/a?Page=2", "org,example)/a?page=2"),
        ("example.org?x=1", "org,example)/?x=1"),
    ],
)
def test_keys_of_places_with_letters_and_questions(place: str, key: str) -> None:
    begin, end = key_range(place)
    assert begin == key <= key + "/more" < end and not begin <= key[:-1] + "0" * 9 < end


@pytest.mark.parametrize(
    ("name", "value"), [("length", "0"), ("length", "-5"), ("offset", "-1"), ("offset", "x"), ("length", 1e999)]
)
def test_places_that_cannot_be_are_broken_lines(name: str, value: object) -> None:
    head, _, rest = LINE.partition(" {")
    line = f"{head} {json.dumps(json.loads('{' + rest) | {name: value})}"
    assert list(read_block(gzip.compress(line.encode()), "org,example)", "org,example-")) == [line]


def test_only_line_ends_end_lines() -> None:
    line = LINE.replace("example.org/a", "example.org/a\u2028b\u0085")
    [found] = read_block(gzip.compress(f"{line}\n".encode()), "org,example)", "org,example-")
    assert isinstance(found, Capture) and found.url == "https://example.org/a\u2028b\u0085"

import gzip
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from hornbook.data.web import warc
from hornbook.data.web.warc import Other, Page, read_warc

sys.path.insert(0, str(Path(__file__).parents[1]))
import warcs


def read(data: bytes, tmp_path: Path, suffix: str = "gzip", ranges: int = 1) -> list[Page | Other]:
    file = tmp_path / "x.warc"
    file.write_bytes(data)
    if ranges == 1:
        return list(read_warc(file, suffix))
    step = len(data) // ranges + 1
    found: list[Page | Other] = []
    for begin in range(0, len(data), step):
        found += read_warc(file, suffix, begin, begin + step if begin + step < len(data) else None)
    return found


def urls(found: list[Page | Other]) -> list[str]:
    return [p.url.rsplit("/", 1)[-1] for p in found if isinstance(p, Page) and not p.flaw]


def flaws(found: list[Page | Other]) -> list[str]:
    return [p.flaw for p in found if isinstance(p, Page) and p.flaw]


def test_pages_with_address_type_charset_and_status(tmp_path: Path) -> None:
    records = [
        warcs.response("https://a.example/1", "<p>one</p>", mime="text/html; charset=ISO-8859-1"),
        warcs.response("https://a.example/2", "gone", status="404 Not Found"),
        warcs.response("https://a.example/3", b"%PDF", mime="application/pdf"),
        warcs.record("conversion", "https://a.example/4", b"plain text", "text/plain"),
        warcs.record("resource", "metadata://gnu.org/wget/log", b"a log", "text/plain"),
        warcs.record("metadata", "https://a.example/5", b"x: y", "application/warc-fields"),
    ]
    found = read(b"".join(warcs.members(records)), tmp_path)
    assert [(p.kind, p.data, p.mime, p.charset.lower(), p.status) for p in found if isinstance(p, Page)] == [
        ("response", b"<p>one</p>", "text/html", "iso-8859-1", 200),
        ("response", b"gone", "text/html", "", 404),
        ("response", b"%PDF", "application/pdf", "", 200),
        ("conversion", b"plain text", "text/plain", "", None),
    ]
    assert found[-2:] == [Other("resource"), Other("metadata")]


def test_records_after_a_page_that_inflates_to_more_than_one_step(tmp_path: Path) -> None:
    records = [warcs.response("https://a.example/big", "<p>" + "ab" * 600_000), *warcs.pages(3)]
    members = warcs.members(records)
    data = b"".join(members)
    found = read(data, tmp_path)
    assert urls(found) == ["big", "0", "1", "2"] and flaws(found) == []
    begins = [data.index(m) for m, r in zip(members, records, strict=True) if b"Type: response" in r]
    assert [p.position >> 24 for p in found if isinstance(p, Page)] == begins


@pytest.mark.parametrize("ranges", [1, 2, 5])
def test_bytes_between_members_are_reported_once(tmp_path: Path, ranges: int) -> None:
    members = warcs.members(warcs.pages(4))
    broken = bytearray(members[5])
    broken[1] ^= 1  # the magic of this member
    data = b"".join([*members[:5], bytes(broken), *members[6:], b"\0" * 7])
    found = read(data, tmp_path, ranges=ranges)
    begin = sum(map(len, members[:5]))
    assert [p.found for p in found if isinstance(p, Page) and p.flaw] == [
        f"{len(broken)} bytes that begin no record at byte {begin}",
        f"7 bytes that begin no record at byte {len(data) - 7}",
    ]


@pytest.mark.parametrize("packing", ["members", "one member", "zstd", "plain"])
def test_every_packing_gives_the_same_records(tmp_path: Path, packing: str) -> None:
    records = warcs.pages(12)
    data = {
        "members": b"".join(warcs.members(records)),
        "one member": gzip.compress(b"".join(records)),
        "zstd": warcs.frames(records),
        "plain": b"".join(records),
    }[packing]
    compression = {"zstd": "zstd", "plain": ""}.get(packing, "gzip")
    found = read(data, tmp_path, compression)
    assert urls(found) == [str(i) for i in range(12)] and not flaws(found)
    assert Counter(o.kind for o in found if isinstance(o, Other)) == {"request": 12, "warcinfo": 1}
    positions = [p.position for p in found if isinstance(p, Page)]
    assert len(set(positions)) == 12


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("ranges", [2, 5, 60])
def test_every_record_is_in_exactly_one_range(tmp_path: Path, compression: str, ranges: int) -> None:
    records = warcs.pages(12)
    data = b"".join(warcs.members(records)) if compression == "gzip" else warcs.frames(records)
    assert read(data, tmp_path, compression, ranges) == read(data, tmp_path, compression)


def test_transfer_and_content_encodings_are_undone(tmp_path: Path) -> None:
    packed = gzip.compress(b"<p>packed</p>")
    chunked = b"5\r\n<p>ab\r\n4\r\n</p>\r\n0\r\n\r\n"
    records = [
        warcs.response("https://a.example/1", packed, extra="Content-Encoding: gzip\r\n"),
        warcs.response("https://a.example/2", chunked, extra="Transfer-Encoding: chunked\r\n"),
    ]
    found = read(b"".join(warcs.members(records)), tmp_path)
    assert [(p.data, p.flaw) for p in found if isinstance(p, Page)] == [(b"<p>packed</p>", ""), (b"<p>ab</p>", "")]


def test_a_file_cut_anywhere_loses_only_the_last_record_and_says_so(tmp_path: Path) -> None:
    parts = warcs.members(warcs.pages(4))
    data = b"".join(parts)
    for cut in (len(data) - 1, len(data) - 9, len(data) - len(parts[-1]) // 2, len(data) - len(parts[-1]) + 12):
        found = read(data[:cut], tmp_path)
        assert urls(found) == ["0", "1", "2"], cut
        assert len(flaws(found)) == 1 and flaws(found)[0] in ("truncated", "damaged"), cut


def test_a_damaged_member_costs_itself_and_no_other(tmp_path: Path) -> None:
    parts = warcs.members(warcs.pages(6))
    for victim in (2, 6, 12):
        broken = bytearray(parts[victim])
        for i in range(20, min(120, len(broken) - 8)):
            broken[i] ^= 0x5A
        data = b"".join([*parts[:victim], bytes(broken), *parts[victim + 1 :]])
        found = read(data, tmp_path)
        assert urls(found) == [str(i) for i in range(6) if 2 * i + 2 != victim]
        assert len(flaws(found)) == 1
        assert read(data, tmp_path, ranges=7) == found


def test_a_lying_content_length_is_noticed(tmp_path: Path) -> None:
    records = warcs.pages(3)
    records[4] = records[4].replace(b"Content-Length: ", b"Content-Length: 9", 1)
    found = read(b"".join(warcs.members(records)), tmp_path)
    assert urls(found) == ["0", "2"] and flaws(found) == ["truncated"]


@pytest.mark.parametrize("compression", ["gzip", "zstd", ""])
def test_garbage_gives_flaws_and_no_exception(tmp_path: Path, compression: str) -> None:
    generator = random.Random(5)
    for data in (b"", b"\0" * 500, b"hello world\n" * 50, generator.randbytes(5000), b"\x1f\x8b\x08" * 200):
        found = read(data, tmp_path, compression)
        assert urls(found) == [], data[:20]
        assert data == b"" or compression == "" or len(flaws(found)) >= 1


def test_mutated_files_never_raise(tmp_path: Path) -> None:
    parts = warcs.members(warcs.pages(5))
    whole = b"".join(parts)
    generator = random.Random(11)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(generator.randrange(1, 6)):
            at = generator.randrange(len(data))
            action = generator.randrange(3)
            if action == 0:
                data[at] ^= 1 << generator.randrange(8)
            elif action == 1:
                del data[at : at + generator.randrange(50)]
            else:
                data[at:at] = generator.randbytes(20)
        found = read(bytes(data), tmp_path)
        assert set(urls(found)) <= {"0", "1", "2", "3", "4"}


def test_a_compression_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = warcs.response("https://a.example/bomb", b"\0" * 150_000_000)
    data = gzip.compress(bomb, 9) + warcs.members([warcs.response("https://a.example/good", "<p>x</p>")])[0]
    found = read(data, tmp_path)
    assert urls(found) == ["good"]
    assert len(flaws(found)) >= 1
    assert sum(len(p.data) for p in found if isinstance(p, Page)) < 100_000_000


def lied(record: bytes, length: int) -> bytes:
    return re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % length, record, count=1)


BROKEN = {
    "too short": lambda record: lied(record, 300),
    "too long": lambda record: lied(record, 90_000),
    "no length": lambda record: record.replace(b"Content-Length", b"X-Length", 1),
    "length of letters": lambda record: record.replace(b"Content-Length: ", b"Content-Length: x", 1),
    "no type": lambda record: record.replace(b"WARC-Type", b"X-Type", 1),
    "no payload at all": lambda record: record[:80],
    "garbage": lambda record: b"\x00\xff" * 300,
    "a bad chunk": lambda record: warcs.response("https://a.example/x", b"5\r\n<p>ab\r\nz\r\n0\r\n\r\n", extra=CHUNKED),
}
CHUNKED = "Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("packing", ["plain", "members", "frames"])
def test_a_broken_record_costs_itself_in_every_packing(tmp_path: Path, how: str, packing: str) -> None:
    records = [warcs.response(f"https://a.example/{i}", warcs.page(f"page {i}")) for i in range(5)]
    records[2] = BROKEN[how](records[2])
    data = {"plain": b"".join(records), "members": b"".join(warcs.members(records)), "frames": warcs.frames(records)}
    compression = {"plain": "", "members": "gzip", "frames": "zstd"}[packing]
    found = read(data[packing], tmp_path, compression)
    assert urls(found) == ["0", "1", "3", "4"]
    assert len(flaws(found)) == 1 and len({p.position for p in found if isinstance(p, Page)}) == 5


def test_empty_records_and_noise_between_records_are_no_damage(tmp_path: Path) -> None:
    records = [b"\r\n\r\n\n" + warcs.response("https://a.example/1", b""), b"\r\n\r\n\r\n"]
    records += [warcs.record("response", "https://a.example/2", b""), warcs.response("https://a.example/3", "x")]
    for data, compression in ((b"".join(records), ""), (b"".join(warcs.members(records)), "gzip")):
        found = [p for p in read(data, tmp_path, compression) if isinstance(p, Page)]
        assert [(p.url[-1:], p.data, p.status, p.flaw) for p in found if p.url] == [
            ("1", b"", 200, ""),
            ("2", b"", None, ""),
            ("3", b"x", 200, ""),
        ]


def test_languages_of_wet_files_and_metadata_of_wat_files(tmp_path: Path) -> None:
    spoken = warcs.record("conversion", "https://a.example/1", b"hola", "text/plain")
    spoken = spoken.replace(b"\r\n\r\n", b"\r\nWARC-Identified-Content-Language: spa,eng\r\n\r\n", 1)
    links = warcs.record("metadata", "https://a.example/1", b"{}", "application/json")
    file = tmp_path / "x.warc"
    file.write_bytes(spoken + links)
    assert [getattr(p, "language", p) for p in read_warc(file, "")] == ["spa,eng", Other("metadata")]
    kinds = [p for p in read_warc(file, "", kinds=("metadata",)) if isinstance(p, Page)]
    assert [(p.kind, p.data, p.mime) for p in kinds] == [("metadata", b"{}", "application/json")]


def test_ranges_inside_one_giant_member_are_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []

    class Counted(warc.Window):
        def fill(self) -> bool:
            taken.append(len(self.buffer))
            return super().fill()

    monkeypatch.setattr(warc, "Window", Counted)
    noise = random.Random(1).randbytes(4_000_000).hex()
    file = tmp_path / "x.warc.gz"
    file.write_bytes(gzip.compress(warcs.response("https://a.example/0", noise), 1))
    assert [page.url for page in read_warc(file, "gzip", 0, 500_000) if isinstance(page, Page)] == [
        "https://a.example/0"
    ]
    taken.clear()
    assert list(read_warc(file, "gzip", 500_000, 1_000_000)) == [] and len(taken) <= 4

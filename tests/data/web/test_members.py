import gzip
import io

import pytest

from hornbook.data.web import members
from hornbook.data.web.members import Member, MemberStream, Window, begins_record, seek_member

RECORD = b"WARC/1.0\r\nWARC-Type: response\r\n\r\n" + b"text " * 500_000  # more than one step of inflating


def window(data: bytes, begin: int = 0) -> Window:
    found = Window(io.BytesIO(data), begin)
    found.fill()
    return found


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_member_is_read_whole_and_the_window_stands_behind_it(size: int) -> None:
    first, second = gzip.compress(RECORD, mtime=0), gzip.compress(b"WARC/1.0\r\n", mtime=0)
    place = window(first + second)
    member = Member(place, "gzip")
    parts: list[bytes] = []
    while part := member.read(size):
        assert len(part) <= size
        parts.append(part)
    assert b"".join(parts) == RECORD and member.damage == "" and place.position == len(first)
    assert Member(place, "gzip").head(100) == b"WARC/1.0\r\n"


def test_what_is_wrong_with_a_member() -> None:
    data = gzip.compress(RECORD, mtime=0)
    cut = Member(window(data[:-20]), "gzip")
    cut.finish()
    assert cut.damage == "the member ends early"
    broken = Member(window(data[:60] + b"\xff" * 60 + data[120:]), "gzip")
    broken.finish()
    assert broken.damage.startswith("damaged compressed data")
    bomb = Member(window(gzip.compress(b"\0" * 80_000_000, mtime=0)), "gzip")
    bomb.finish()
    assert bomb.damage.startswith("a compression bomb") and bomb.num_out < 70_000_000


def test_a_stream_goes_forward_over_head_and_rest() -> None:
    member = Member(window(gzip.compress(RECORD, mtime=0)), "gzip")
    stream = MemberStream(member.head(1000), member)
    assert stream.read(8) == b"WARC/1.0" and stream.tell() == 8
    assert stream.seek(len(RECORD) - 5) == len(RECORD) - 5 and stream.read() == b"text " and stream.read() == b""


def test_the_next_member_is_one_with_a_record() -> None:
    other, record = gzip.compress(b"no record at all", mtime=0), gzip.compress(RECORD[:60], mtime=0)
    data = b"\x1f\x8b\x08 noise" + other + b"more" + record
    assert not begins_record(other, "gzip") and begins_record(record, "gzip")
    place = window(data, 2)
    assert seek_member(place, "gzip", exact=False) and place.position == len(data) - len(record)
    assert not seek_member(window(other), "gzip", exact=False)
    assert seek_member(window(other), "gzip", exact=True)


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_who_looks_for_a_member_stops_at_the_end_of_the_range(compression: str) -> None:
    file = Counted(b"\x28\x1f\x8b" * 1_000_000)
    place = Window(file, 300_000)
    assert not seek_member(place, compression, exact=False, end=900_000)
    assert file.taken < 1_200_000


class Watched(Window):
    """A window that counts the bytes it copies when it forgets some, and how large it grows."""

    copied = largest = 0

    def drop(self, num_bytes: int) -> None:
        super().drop(num_bytes)
        self.copied += len(self.buffer)

    def fill(self) -> bool:
        more = super().fill()
        self.largest = max(self.largest, len(self.buffer))
        return more


def test_many_places_that_look_like_members_fill_neither_time_nor_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "READ_BYTES", 5_000)
    data = b"\x1f\x8b\x08" * 10_000 + gzip.compress(RECORD[:60], mtime=0)
    place = Watched(io.BytesIO(data), 0)
    assert seek_member(place, "gzip", exact=False) and place.position == 30_000
    assert place.copied < 60_000 and place.largest < 20_000

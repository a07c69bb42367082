import gzip
import random
import struct

import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.files.inflate import ZstdFrame, inflater_of

TEXT = b"".join(b"line %d of a text of many lines\n" % i for i in range(20_000))
NOISE = random.Random(1).randbytes(300_000)  # blocks that are stored as they are
BLOCK_BYTES = 1 << 17


def frame(data: bytes, checksum: bool = False, sized: bool = True) -> bytes:
    """One frame by the library; without its size in the header when it comes in pieces."""
    packer = zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=sized)
    if sized:
        return packer.compress(data)
    stream = packer.compressobj()
    return stream.compress(data) + stream.flush()


def by_hand(window: int, *blocks: bytes) -> bytes:
    """A frame without size and checksum that asks for a window of 2 ** `window` bytes."""
    return b"\x28\xb5\x2f\xfd\0" + bytes([(window - 10) << 3]) + b"".join(blocks)


def block(kind: int, size: int, body: bytes, last: bool = False) -> bytes:
    return struct.pack("<I", size << 3 | kind << 1 | last)[:3] + body


def inflated(data: bytes, step: int, limit: int = 1 << 20) -> tuple[bytes, bytes, int]:
    """Fed in steps: the output, what follows the frame, and the longest output of a call."""
    member = ZstdFrame()
    parts: list[bytes] = []
    at = 0
    while at < len(data) and not member.eof:
        part = data[at : at + step]
        parts.append(member.decompress(part, limit))
        at += len(part) - len(member.unused_data if member.eof else member.unconsumed_tail)
    assert member.eof
    return b"".join(parts), data[at:], max(map(len, parts))


@pytest.mark.parametrize("step", [1, 3, 1000, 1 << 20])
@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("sized", [True, False])
def test_a_frame_in_any_steps_and_what_follows_it(step: int, checksum: bool, sized: bool) -> None:
    texts = [b"", b"a", TEXT[:700]] if step == 1 else [b"", TEXT, NOISE, TEXT[:300], NOISE[:70_000] + bytes(400_000)]
    for text in texts:
        data = frame(text, checksum, sized)
        assert inflated(data + b"what follows", step)[:2] == (text, b"what follows")


@examples(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5000), st.integers(1, 1 << 19))
def test_frames_of_all_kinds_of_blocks(seed: int, step: int, limit: int) -> None:
    draw = random.Random(seed)
    parts = [draw.choice([TEXT[:9000], NOISE[:9000], bytes(50_000), b"x" * 5]) for _ in range(draw.randrange(9))]
    text = b"".join(parts)
    packer = zstandard.ZstdCompressor(level=draw.choice([-5, 1, 9])).compressobj()
    data = (
        b"".join(packer.compress(p) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for p in parts) + packer.flush()
    )
    found, rest, longest = inflated(data + data, step, limit)
    assert (found, rest) == (text, data) and longest < limit + BLOCK_BYTES


def test_four_bytes_that_stand_for_128_kib_fill_no_memory() -> None:
    data = by_hand(17, block(1, BLOCK_BYTES, b"\0") * 4000, block(1, 1, b"\0", last=True))
    member = ZstdFrame()
    assert len(data) < 17_000
    assert len(member.decompress(data, 1 << 20)) == 1 << 20 and len(member.unconsumed_tail) > 15_900
    assert len(member.decompress(member.unconsumed_tail, 1)) == BLOCK_BYTES


@pytest.mark.parametrize("size", [255, 256, 65_000, 66_000, 3_000_000])
@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("checksum", [True, False])
def test_no_call_gives_more_than_a_block_beyond_its_limit(size: int, sized: bool, checksum: bool) -> None:
    for step in (1, 1 << 20):
        found, rest, longest = inflated(frame(bytes(size), checksum, sized) * 2, step, 1)
        assert (found, rest) == (bytes(size), frame(bytes(size), checksum, sized)) and longest <= BLOCK_BYTES


def test_frames_to_be_skipped_large_windows_and_damage() -> None:
    skipped = b"\x50\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc"
    assert inflated(skipped + b"more", 100) == (b"", b"more", 0)
    large = by_hand(28, block(0, 5, b"hello", last=True))
    assert inflater_of("zstd", 1 << 28)[0].decompress(large, 100) == b"hello"
    wrong = frame(TEXT, checksum=True)[:-4] + b"\xff" * 4
    for data in (large, b"no frame at all", wrong, by_hand(17, block(3, 5, b"hello"))):
        member, broken = inflater_of("zstd")
        with pytest.raises(broken):
            member.decompress(data, 1 << 20)
    member, broken = inflater_of("gzip")
    with pytest.raises(broken):
        member.decompress(gzip.compress(b"x")[2:], 100)

import gzip
import time
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.web.http_body import undo

TEXT = "<p>Sieben Zwerge hörten zu.</p>".encode() * 40
# "<p>one fox</p>" by the brotli program, quality 5
BROTLI = bytes.fromhex("8b06803c703e6f6e6520666f783c2f703e03")


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def chunks(data: bytes, size: int = 7) -> bytes:
    parts = (data[i : i + size] for i in range(0, len(data), size))
    return b"".join(b"%x;note=1\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("zstd", zstandard.ZstdCompressor().compress(TEXT)),
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0)),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT), mtime=0)),
        ("identity", TEXT),
    ],
)
def test_every_encoding_is_undone_also_in_chunks(name: str, data: bytes) -> None:
    assert undo(data, "", name, 10_000) == (TEXT, "", "")
    assert undo(chunks(data), "chunked", name, 10_000) == (TEXT, "", "")


def test_brotli_is_undone() -> None:
    assert undo(BROTLI, "", "br", 1000) == (b"<p>one fox</p>", "", "")
    assert undo(BROTLI[:-4], "", "br", 1000)[1] == "damaged"


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "utf-8", "none"])
def test_a_body_that_was_decoded_before_it_was_stored_stays_as_it_is(name: str) -> None:
    assert undo(TEXT, "chunked", name, 10_000) == (TEXT, "", "")


@pytest.mark.parametrize(
    ("data", "transfer", "content", "expected"),
    [
        (gzip.compress(TEXT, mtime=0)[:-20], "", "gzip", "truncated"),
        (zlib.compress(TEXT)[:-4], "", "deflate", "truncated"),
        (gzip.compress(TEXT, mtime=0)[:-8] + b"\xff" * 8, "", "gzip", "damaged"),
        (b"\x00\x01\x02\x03" * 9, "", "gzip", "damaged"),
        (b"\x00\x01\x02\x03" * 9, "", "compress", "damaged"),
        (b"5\r\n<p>ab\r\n40\r\n</p>", "chunked", "", "truncated"),
        (b"5\r\n<p>ab\r\n", "chunked", "", "truncated"),
        (b"5\r\n<p>ab\r\nzz\r\n</p>\r\n0\r\n\r\n", "chunked", "", "damaged"),
        (chunks(gzip.compress(TEXT, mtime=0))[:60], "chunked", "gzip", "truncated"),
        (gzip.compress(b"\0" * 1_000_000, mtime=0), "", "gzip", "too_large"),
        (zstandard.ZstdCompressor().compress(b"\0" * 1_000_000), "", "zstd", "too_large"),
    ],
)
def test_what_is_broken_says_so(data: bytes, transfer: str, content: str, expected: str) -> None:
    body, flaw, found = undo(data, transfer, content, 10_000)
    assert flaw == expected and found and len(body) <= 10_000


@given(st.binary(max_size=200), st.sampled_from(["", "chunked"]), st.sampled_from(["gzip", "deflate", "br", "zstd"]))
def test_nothing_raises(data: bytes, transfer: str, content: str) -> None:
    body, flaw, _ = undo(data, transfer, content, 1000)
    assert flaw in ("", "truncated", "damaged", "too_large") and len(body) <= 1000


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_bodies_of_several_members_are_read_to_the_end(name: str) -> None:
    pack = gzip.compress if name == "gzip" else zstandard.ZstdCompressor().compress
    one, two = pack(TEXT), pack(b"<p>the end</p>" * 9000)
    whole = TEXT + b"<p>the end</p>" * 9000
    assert undo(one + two, "", name, 200_000) == (whole, "", "")
    assert undo(one + two + b"garbage", "", name, 200_000) == (whole, "", "")
    assert undo(one + two[:-5], "", name, 200_000)[1] == "truncated"
    assert (
        undo(one + two, "", name, len(whole))[1] == "" and undo(one + two, "", name, len(whole) - 1)[1] == "too_large"
    )


def test_a_zstd_body_that_is_cut_off_is_not_whole() -> None:
    data = zstandard.ZstdCompressor().compress(TEXT)
    for cut in (1, 5, len(data) // 2):
        body, flaw, found = undo(data[:-cut], "", "zstd", 10_000)
        assert flaw == "truncated" and TEXT.startswith(body) and "ends early" in found


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_body_of_many_small_members_takes_time_by_its_length(name: str) -> None:
    one = gzip.compress(b"a") if name == "gzip" else zstandard.ZstdCompressor().compress(b"a")
    many = 3_000_000 // len(one) // 10
    begin = time.process_time()
    assert undo(one * many, "", name, 1_000_000) == (b"a" * many, "", "")
    assert time.process_time() - begin < 1.5

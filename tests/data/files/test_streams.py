import gzip
from pathlib import Path

import pytest
import zstandard

from hornbook.data.files.streams import Damage, as_utf8, chunks, compression_of

TEXT = "\n".join(f"line {i} of a text that is long enough to be cut" for i in range(20_000)).encode()


def read(path: Path, begin: int = 0) -> tuple[bytes, str]:
    damage = Damage()
    return b"".join(chunks(path, compression_of(path), damage, begin)), damage.found


def test_plain_gzip_and_zstd_give_the_same_bytes(tmp_path: Path) -> None:
    half = len(TEXT) // 2
    (tmp_path / "a.txt").write_bytes(TEXT)
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT[:half]) + gzip.compress(TEXT[half:]) + b"\0" * 100)
    frame = zstandard.ZstdCompressor().compress
    (tmp_path / "a.zst").write_bytes(frame(TEXT[:half]) + frame(TEXT[half:]))
    for name in ("a.txt", "a.gz", "a.zst"):
        assert read(tmp_path / name) == (TEXT, ""), name
    assert read(tmp_path / "a.txt", 1000) == (TEXT[1000:], "")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_file_that_ends_early_says_so_and_gives_what_is_there(tmp_path: Path, suffix: str) -> None:
    data = gzip.compress(TEXT) if suffix == ".gz" else zstandard.ZstdCompressor().compress(TEXT)
    (tmp_path / f"a{suffix}").write_bytes(data[: len(data) // 2])
    found, damage = read(tmp_path / f"a{suffix}")
    assert "ends early" in damage and TEXT.startswith(found) and (len(found) > 1000 or suffix == ".zst")


def packed(suffix: str, data: bytes) -> bytes:
    return gzip.compress(data) if suffix == ".gz" else zstandard.ZstdCompressor().compress(data)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("first", [b"", b"x", b"PK", b"\n"])
def test_a_second_member_that_begins_wrongly_is_damage(tmp_path: Path, suffix: str, first: bytes) -> None:
    one, two = packed(suffix, b"one\n"), packed(suffix, b"two\n")
    (tmp_path / f"a{suffix}").write_bytes(one + first + two[1:])
    found, damage = read(tmp_path / f"a{suffix}")
    assert found == b"one\n" and damage.startswith("damaged compressed data before byte")
    (tmp_path / f"a{suffix}").write_bytes(one + bytes(600_000) + two + bytes(9))
    assert read(tmp_path / f"a{suffix}") == (b"one\ntwo\n", "")
    (tmp_path / f"a{suffix}").write_bytes(bytes(9) + two)
    assert read(tmp_path / f"a{suffix}")[1] != ""


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_small_block_does_not_fill_the_memory(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(packed(suffix, bytes(30_000_000)))
    sizes = [len(block) for block in chunks(tmp_path / f"a{suffix}", compression_of(tmp_path / f"a{suffix}"), Damage())]
    assert sum(sizes) == 30_000_000 and max(sizes) < 1_200_000


def test_archives_with_long_windows_are_read(tmp_path: Path) -> None:
    frame = b"\x28\xb5\x2f\xfd\0" + bytes([(28 - 10) << 3]) + bytes([5 << 3 | 1, 0, 0]) + b"hello"
    (tmp_path / "a.zst").write_bytes(frame)
    assert read(tmp_path / "a.zst") == (b"hello", "")


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_garbage_is_damage(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"this is no compressed data at all")
    found, damage = read(tmp_path / f"a{suffix}")
    assert found == b"" and "damaged" in damage


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf16_becomes_utf8_block_by_block(codec: str) -> None:
    data = "Der Bär 🐻 brummt und brummt.\n".encode(codec)
    blocks = iter([data[:20], *(data[i : i + 3] for i in range(20, len(data), 3))])
    damage = Damage()
    assert b"".join(as_utf8(blocks, damage)).decode() == "Der Bär 🐻 brummt und brummt.\n"
    assert damage.transcoded
    plain = Damage()
    assert list(as_utf8(iter([b"a", b"b"]), plain)) == [b"a", b"b"] and list(as_utf8(iter([]), plain)) == [b""]
    assert not plain.transcoded

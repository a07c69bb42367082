"""WARC writing: members that stand alone, positions that are right, bytes that the seed decides."""

import gzip
import re
import zlib
from pathlib import Path

from hornbook.world.warc_file import WarcFile


def write(path: Path, seed: int = 7) -> list[int]:
    with WarcFile(path, seed, 3) as warc:
        return [
            warc.page("http://a.example/", b"<p>one</p>", "utf-8"),
            warc.page("http://b.example/", b"<p>\xe4</p>", "iso-8859-1", status=404),
        ]


def test_every_record_is_a_member_at_its_position(tmp_path: Path) -> None:
    positions = write(tmp_path / "x.warc.gz")
    data = (tmp_path / "x.warc.gz").read_bytes()
    for position, status, body in zip(
        positions, ("200 OK", "404 Not Found"), (b"<p>one</p>", b"<p>\xe4</p>"), strict=True
    ):
        reader = zlib.decompressobj(31)
        record = reader.decompress(data[position:])
        assert reader.eof
        head, _, content = record.partition(b"\r\n\r\n")
        assert head.startswith(b"WARC/1.0\r\nWARC-Type: response\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
        assert content[length:] == b"\r\n\r\n" and content[:length].endswith(b"\r\n\r\n" + body)
        assert content.startswith(f"HTTP/1.1 {status}\r\n".encode())


def test_the_whole_file_is_valid_gzip_and_begins_with_warcinfo(tmp_path: Path) -> None:
    write(tmp_path / "x.warc.gz")
    text = gzip.decompress((tmp_path / "x.warc.gz").read_bytes())
    assert text.startswith(b"WARC/1.0\r\nWARC-Type: warcinfo\r\n") and text.count(b"WARC/1.0\r\n") == 3
    identities = re.findall(rb"<urn:uuid:([0-9a-f-]{36})>", text)
    assert len(set(identities)) == 3 and all(identity[14:15] == b"4" for identity in identities)


def test_the_seed_decides_the_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write(tmp_path / name, seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()

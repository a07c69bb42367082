import gzip
import io
from pathlib import Path

from fastwarc.warc import ArchiveIterator

from hornbook.data.web.warc import Other, Page, read_warc
from hornbook.data.web.warc_write import member, response

DATE = "2026-01-31T09:30:00Z"
HEADERS = [
    ("Content-Type", "text/html; charset=latin-1"),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "chunked"),
    ("Content-Length", "7"),
    ("X-Name", "Mühle"),
]


def test_others_read_what_is_written_and_its_digest_fits(tmp_path: Path) -> None:
    body = b"<p>one</p>\r\n\r\nWARC/1.0\r\n"
    data = member("warcinfo", DATE, "application/warc-fields", b"software: x\r\n", filename="a.warc.gz")
    data += response("https://a.example/1", DATE, 200, "OK", HEADERS, body)
    records = ArchiveIterator(io.BytesIO(data), parse_http=True)
    first = next(records)
    assert first.headers.get("WARC-Filename") == "a.warc.gz" and first.headers.get("WARC-Date") == DATE
    second = next(records)
    assert second.verify_payload_digest() and second.http_headers.status_code == 200
    assert second.headers.get("WARC-Target-URI") == "https://a.example/1"
    assert second.record_id != first.record_id and second.headers.get("WARC-Record-ID").startswith("<urn:uuid:")
    (tmp_path / "a.warc.gz").write_bytes(data)
    info, page = read_warc(tmp_path / "a.warc.gz", "gzip")
    assert info == Other("warcinfo")
    assert page == Page(page.position, "response", "https://a.example/1", body, "text/html", page.charset, 200)
    text = gzip.decompress(data).decode("latin-1")
    assert "X-Crawler-Content-Encoding: gzip" in text and "X-Crawler-Content-Length: 7" in text
    assert text.count("\r\nContent-Encoding") == 0 and f"\r\nContent-Length: {len(body)}\r\n" in text


def test_the_same_record_has_the_same_bytes() -> None:
    assert member("metadata", DATE, "text/plain", b"x") == member("metadata", DATE, "text/plain", b"x")
    assert member("metadata", DATE, "text/plain", b"x") != member("metadata", DATE, "text/plain", b"y")

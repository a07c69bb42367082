"""Writing WARC files: one gzip member per record, the same bytes for the same seed (no clock, no random ids)."""

import gzip
import uuid
from pathlib import Path
from types import TracebackType

from hornbook.core.seed import key

SOFTWARE = b"software: hornbook.world\r\nformat: WARC File Format 1.0\r\n"
DATE = "2024-01-01T00:00:00Z"
REASONS = {200: "OK", 404: "Not Found"}


class WarcFile:
    """A `.warc.gz` file being written; use it in a `with` block.

    Source: ISO 28500:2017 (WARC 1.0 and 1.1), section 5, and annex D on compression by record.
    """

    def __init__(self, path: Path, seed: int, number: int) -> None:
        self.seed, self.number, self.records, self.position_bytes = seed, number, 0, 0
        self._file = path.open("wb")

    def __enter__(self) -> "WarcFile":
        headers = {"WARC-Filename": f"{self.number:05d}.warc.gz"}
        self._write("warcinfo", headers, "application/warc-fields", SOFTWARE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def page(self, url: str, body: bytes, charset: str, status: int = 200) -> int:
        """Write a response; returns the byte position of its member in the file."""
        head = (
            f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/html; charset={charset}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        content = head.encode() + body
        return self._write("response", {"WARC-Target-URI": url}, "application/http; msgtype=response", content)

    def _write(self, kind: str, headers: dict[str, str], content_type: str, content: bytes) -> int:
        identity = uuid.UUID(
            int=key(self.seed, f"world.warc/{self.number}", self.records) << 64
            | key(self.seed, f"world.warc/low/{self.number}", self.records),
            version=4,
        )
        fields = {"WARC-Type": kind, **headers, "WARC-Date": DATE, "WARC-Record-ID": f"<urn:uuid:{identity}>"}
        fields |= {"Content-Type": content_type, "Content-Length": str(len(content))}
        head = "WARC/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
        member = gzip.compress(head.encode() + content + b"\r\n\r\n", 6, mtime=0)
        begin = self.position_bytes
        self._file.write(member)
        self.position_bytes += len(member)
        self.records += 1
        return begin

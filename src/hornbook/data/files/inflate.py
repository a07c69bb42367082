"""Inflating one gzip member or zstd frame with a bound on the output: the interface of `zlib.decompressobj`."""

import zlib
from typing import Any

MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd"}
ENDLESS = 1 << 62
WINDOW_BYTES = 1 << 27


def inflater_of(compression: str, max_window_bytes: int = WINDOW_BYTES) -> tuple[Any, type[Exception]]:
    """What inflates one member, and the exception with which it complains of damage.

    `max_window_bytes`: zstd frames that need more memory than this are refused.
    """
    if compression == "gzip":
        return zlib.decompressobj(31), zlib.error
    import zstandard

    return ZstdFrame(max_window_bytes), zstandard.ZstdError


class ZstdFrame:
    """Inflates one zstd frame block by block, so that a small input cannot fill the memory.

    The library inflates all it is given at once, and four bytes may stand for a block of 128 KiB; so it is given one
    block at a time. Source: RFC 8878, sections 3.1.1.1 (frame header) and 3.1.1.2 (blocks).
    """

    def __init__(self, max_window_bytes: int = WINDOW_BYTES) -> None:
        import zstandard

        self._inflater = zstandard.ZstdDecompressor(max_window_size=max_window_bytes).decompressobj()
        self._header = b""  # of a header, what has come
        self._header_bytes = 5  # of the frame: its magic and its descriptor
        self._left_bytes = 0  # of what follows a header
        self._checksum_bytes = 0
        self.unused_data = b""
        self.unconsumed_tail = b""

    @property
    def eof(self) -> bool:
        """Whether the frame has come to its end."""
        return self._inflater.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Whole blocks until there are `max_length` bytes or more; the input left is `unconsumed_tail`."""
        parts: list[bytes] = []
        size = at = 0
        while at < len(data) and size < max_length and not self.eof:
            end = self._end_of_block(data, at)
            parts.append(self._inflater.decompress(data[at:end]))
            size += len(parts[-1])
            at = end
        self.unconsumed_tail = data[at:]
        self.unused_data = self._inflater.unused_data + self.unconsumed_tail if self.eof else b""
        return b"".join(parts)

    def _end_of_block(self, data: bytes, at: int) -> int:
        """Where the block ends that goes on at `at`, or the data."""
        while self._left_bytes == 0 and at < len(data):
            more = data[at : at + self._header_bytes - len(self._header)]
            self._header += more
            at += len(more)
            if len(self._header) == self._header_bytes:
                self._left_bytes = self._after_header(self._header)
                self._header, self._header_bytes = b"", 3
        step = min(self._left_bytes, len(data) - at)
        self._left_bytes -= step
        return at + step

    def _after_header(self, header: bytes) -> int:
        """The bytes that belong to a header: the rest of the frame's, or a block's contents."""
        if len(header) == 5:
            if not header.startswith(MAGIC["zstd"]):
                return ENDLESS  # a frame to be skipped, or no frame: the library knows
            single, self._checksum_bytes = header[4] >> 5 & 1, 4 * (header[4] >> 2 & 1)
            return 1 - single + (0, 1, 2, 4)[header[4] & 3] + (single, 2, 4, 8)[header[4] >> 6]
        block = int.from_bytes(header, "little")
        is_last, is_run = block & 1, block >> 1 & 3 == 1
        return (1 if is_run else block >> 3) + (self._checksum_bytes if is_last else 0)

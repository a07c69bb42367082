"""A large archive of files, behind an address or in a local folder: ranges of a file, and whole files, resumable."""

import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

from hornbook.core.errors import DataError
from hornbook.core.settings import resolve_input
from hornbook.data.web.crawler import PASSING, retry_after
from hornbook.data.web.http_get import Answer, GetError, Manners, normal, opened

RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")
MAX_WAIT_S = 300.0
TRY_AGAIN = (403, *PASSING)
"""403 is also how Common Crawl answers who asks too fast. Source: status.commoncrawl.org."""


class Missing(Exception):
    """There is no such file in the archive."""


class Archive:
    """Reads from `base` (http, https, or a folder). Connections that break are taken up again where they broke.

    `attempts`: how often in a row nothing at all may come before a DataError says so; `pause`: sleeps (for tests);
    `stopped`, once set, ends all pauses.
    """

    def __init__(
        self,
        base: str,
        manners: Manners,
        attempts: int = 6,
        backoff_s: float = 2.0,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self.base = base
        self.folder = None if base.startswith(("http://", "https://")) else resolve_input(base)
        self._manners, self._attempts, self._backoff_s = manners, attempts, backoff_s
        self.stopped = threading.Event()
        self._pause = pause or self.stopped.wait

    def size_bytes(self, path: str) -> int:
        """The size of a file. Raises Missing, or DataError when it cannot be had."""
        if self.folder is not None:
            return self._local(path).stat().st_size
        return self._again(path, lambda: self._size(path))

    def read(self, path: str, begin: int, length: int) -> bytes:
        """Bytes of a file; fewer at its end. Raises Missing, or DataError when they cannot be had."""
        if self.folder is not None:
            with self._local(path).open("rb") as file:
                file.seek(begin)
                return file.read(length)
        parts: list[bytes] = []

        def more() -> bytes:
            done = sum(map(len, parts))
            with closing(self._range(path, begin + done, begin + length)) as blocks:
                for block in blocks:
                    parts.append(block)
            return b"".join(parts)

        return self._again(path, more, lambda: sum(map(len, parts)))

    def lines(self, path: str) -> Iterator[str]:
        """The lines of a gzip file of text."""
        data = gzip.decompress(self.read(path, 0, self.size_bytes(path)))
        return iter(data.decode("utf-8", "replace").splitlines())

    def download(self, path: str, target: Path, scratch: Path, advance: Callable[[int], None] = lambda _: None) -> int:
        """Copy a whole file to `target`; returns its bytes. `scratch`: a folder where what is there already waits.

        The part is continued after a broken connection, and after a restart, as long as the file has not changed (its
        length and its ETag are the same). `target` exists only when it is whole. Raises Missing or DataError.
        """
        part, note = scratch / f"{target.name}.part", scratch / f"{target.name}.json"
        if self.folder is not None:
            with self._local(path).open("rb") as source, part.open("wb") as copy:
                while block := source.read(1 << 20):
                    copy.write(block)
                    advance(len(block))
        else:
            have = part.stat().st_size if part.exists() else 0
            advance(have)
            self._again(path, lambda: self._continue(path, part, note, advance), lambda: _size_of(part))
        size_bytes = part.stat().st_size
        part.replace(target)
        note.unlink(missing_ok=True)
        return size_bytes

    def _local(self, path: str) -> Path:
        assert self.folder is not None
        file = self.folder / path
        if not file.is_file():
            raise Missing(str(file))
        return file

    def _url(self, path: str) -> str:
        return normal(f"{self.base.rstrip('/')}/{path}")

    def _size(self, path: str) -> int:
        with opened(self._url(path), self._manners, {"Range": "bytes=0-0", "Accept-Encoding": "identity"}) as answer:
            if answer.status == 206:
                return _content_range(answer)[2]
            _check(answer, (200,))
            return _length(answer)

    def _range(self, path: str, begin: int, end: int) -> Generator[bytes, None, None]:
        headers = {"Range": f"bytes={begin}-{end - 1}", "Accept-Encoding": "identity"}
        with opened(self._url(path), self._manners, headers) as answer:
            if answer.status == 416:
                return
            _check(answer, (206,))
            if _content_range(answer)[0] != begin:
                raise GetError("bad_answer", f"another range came than the one asked for, {begin}")
            yield from answer.blocks()

    def _continue(self, path: str, part: Path, note: Path, advance: Callable[[int], None]) -> None:
        """Fetch what is missing of a file."""
        have, before = _size_of(part), _noted(note)
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-"} | ({"If-Range": before["etag"]} if before.get("etag") else {})
        with opened(self._url(path), self._manners, headers) as answer:
            if answer.status == 416 and answer.header("content-range") == f"bytes */{have}":
                return
            if answer.status == 416:
                _begin_anew(part)
            _check(answer, (200, 206) if have else (200,))
            begin, _, total = _content_range(answer) if answer.status == 206 else (0, 0, _length(answer))
            if begin and (begin != have or total != before.get("total", total)):
                _begin_anew(part)
            if begin == 0:
                advance(-have)
            note.write_text(json.dumps({"etag": answer.header("etag"), "total": total}))
            with part.open("ab" if begin else "wb") as file:
                for block in answer.blocks():
                    file.write(block)
                    advance(len(block))
        if _size_of(part) != total:
            raise GetError("truncated", f"{_size_of(part)} of {total} bytes", passing=True)

    def _again(self, path: str, act: Callable[[], Any], done_bytes: Callable[[], int] = lambda: 0) -> Any:
        """Do something until it works; progress counts as a fresh start. Raises DataError when nothing comes."""
        failures, before = 0, done_bytes()
        while True:
            try:
                return act()
            except GetError as error:
                failures = 1 if done_bytes() > before else failures + 1
                before = done_bytes()
                if error.rule == "missing":
                    raise Missing(error.found) from None
                if not error.passing or failures >= self._attempts or self.stopped.is_set():
                    raise DataError(
                        f"{path} cannot be had: {error.found} ({error.rule})",
                        where=self.base,
                        do="Run again: it goes on where it was" if error.passing else "Check the base address",
                        exit_code=1,
                    ) from None
                self._pause(min(MAX_WAIT_S, error.wait_s or self._backoff_s * 2 ** (failures - 1)))


def _check(answer: Answer, wanted: tuple[int, ...]) -> None:
    """Raises GetError when the status is not one of those."""
    if answer.status in wanted:
        return
    if answer.status in (404, 410):
        raise GetError("missing", f"{answer.url} answers {answer.status}")
    if answer.status == 200:
        raise GetError("bad_answer", "the server does not answer ranges of a file")
    error = GetError("http_status", str(answer.status), passing=answer.status in TRY_AGAIN)
    error.wait_s = retry_after(answer.header("retry-after"), time.time())
    raise error


def _content_range(answer: Answer) -> tuple[int, int, int]:
    """First byte, last byte and the whole file's size."""
    found = RANGE.fullmatch(answer.header("content-range"))
    if found is None:
        raise GetError("bad_answer", f'no usable Content-Range: "{answer.header("content-range")}"')
    return int(found[1]), int(found[2]), int(found[3])


def _length(answer: Answer) -> int:
    if answer.length is None:
        raise GetError("bad_answer", "the server does not say how long the file is")
    return answer.length


def _begin_anew(part: Path) -> NoReturn:
    part.unlink(missing_ok=True)
    raise GetError("connection", "the file has changed meanwhile", passing=True)


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _noted(note: Path) -> dict[str, Any]:
    try:
        return json.loads(note.read_text())
    except (OSError, ValueError):
        return {}

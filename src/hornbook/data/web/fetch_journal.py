"""What a crawl has fetched so far, on disk: pages in WARC files, and a line for each address that is done with."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from hornbook.data.web import warc_write

PAGE_TEXT_BYTES = 4_000
"""Main text of a page: between the median (2 kB) and the mean (5 kB) of real pages; only for plans."""


@dataclass
class Journal:
    """The pages on disk and a line for each finished address, so that a restart asks for nothing twice.

    `job`: what decides the outcome, as text (notes of another job do not count); `software`: for warcinfo records;
    `name`: the field of a line that names what it is about. A record is written before its line. What a WARC file
    holds beyond the last line was cut off by a stop, and goes; so do lines whose record is not all there, and failures
    that may have passed: these are asked for again.
    """

    root: Path
    file: Path
    job: str
    software: str
    file_bytes: int
    name: str = "url"
    done: dict[str, dict[str, Any]] = field(default_factory=dict[str, "dict[str, Any]"])

    def __enter__(self) -> "Journal":
        folder = self.root / "warc"
        folder.mkdir(exist_ok=True)
        lines = [line for line in self._lines() if self._is_there(line)]
        ends: Counter[str] = Counter()
        for line in lines:
            if line.get("file"):
                ends[line["file"]] = max(ends[line["file"]], line["offset"] + line["length"])
        for path in folder.iterdir():
            if path.name in ends:
                with path.open("r+b") as warc:
                    warc.truncate(ends[path.name])
            else:
                path.unlink()
        self.done = {line[self.name]: line for line in lines if not line.get("passing")}
        scratch = self.file.with_suffix(".new")
        scratch.write_text(
            "".join(json.dumps(line) + "\n" for line in [{"job": self.job}, *self.done.values()]), "utf-8"
        )
        scratch.replace(self.file)
        self._journal: TextIO = self.file.open("a", encoding="utf-8")
        self._number = max((int(name.partition(".")[0]) for name in ends), default=-1)
        self._warc: BinaryIO | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()
        if self._warc is not None:
            self._warc.close()

    def add(self, line: dict[str, Any], record: bytes | None, date: str = "") -> None:
        """Write a record (a gzip member), if there is one, then the line that says what became of the address."""
        if record is not None:
            line = line | self._write(record, date)
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()
        self.done[line[self.name]] = line

    def _write(self, record: bytes, date: str) -> dict[str, Any]:
        if self._warc is None or self._warc.tell() >= self.file_bytes:
            self._next_file(date)
        assert self._warc is not None
        offset = self._warc.tell()
        self._warc.write(record)
        self._warc.flush()
        return {"file": Path(self._warc.name).name, "offset": offset, "length": len(record)}

    def _next_file(self, date: str) -> None:
        if self._warc is not None:
            self._warc.close()
        last = self.root / "warc" / f"{self._number:05d}.warc.gz"
        if self._warc is None and last.exists() and last.stat().st_size < self.file_bytes:
            self._warc = last.open("ab")
            return
        self._number += 1
        name = f"{self._number:05d}.warc.gz"
        self._warc = (self.root / "warc" / name).open("ab")
        info = f"software: {self.software}\r\nformat: WARC File Format 1.1\r\n"
        kind = "application/warc-fields"
        self._warc.write(warc_write.member("warcinfo", date, kind, info.encode(), filename=name))

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Whole lines of an earlier attempt at the same job."""
        if not self.file.exists():
            return
        first, *rest = self.file.read_text("utf-8", "replace").split("\n")
        if first != json.dumps({"job": self.job}):
            return
        for text in rest:
            try:
                yield json.loads(text)
            except ValueError:
                continue

    def _is_there(self, line: dict[str, Any]) -> bool:
        if not line.get("file"):
            return True
        path = self.root / "warc" / line["file"]
        return path.exists() and path.stat().st_size >= line["offset"] + line["length"]

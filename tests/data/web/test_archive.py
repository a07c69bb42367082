import gzip
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.errors import ArtifactError, DataError
from hornbook.data.web.archive import Archive, Missing
from hornbook.data.web.http_get import Manners

sys.path.insert(0, str(Path(__file__).parents[1]))
from sites import files, page, site

MANNERS = Manners("Hornbook/test", 5.0, 30.0, 1 << 30, private=True)
DATA = bytes(range(256)) * 2000


def archive(base: str, pauses: list[float] | None = None, **settings: Any) -> Archive:
    note = [] if pauses is None else pauses
    return Archive(base, MANNERS, pause=note.append, **settings)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "crawl/a").mkdir(parents=True)
    (tmp_path / "crawl/a/x.bin").write_bytes(DATA)
    (tmp_path / "crawl/a/lines.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    (tmp_path / "scratch").mkdir()
    return tmp_path


def test_a_folder_and_an_address_give_the_same(folder: Path) -> None:
    with site({"*": files(folder / "crawl")}) as server:
        for base in (str(folder / "crawl"), server.url + "/", server.url):
            found = archive(base)
            assert found.size_bytes("a/x.bin") == len(DATA)
            assert found.read("a/x.bin", 1000, 77) == DATA[1000:1077]
            assert found.read("a/x.bin", len(DATA) - 5, 100) == DATA[-5:] and found.read("a/x.bin", len(DATA), 9) == b""
            assert list(found.lines("a/lines.gz")) == ["one", "two"]
            assert found.download("a/x.bin", folder / "copy", folder / "scratch") == len(DATA)
            assert (folder / "copy").read_bytes() == DATA and list((folder / "scratch").iterdir()) == []
            for act in (found.size_bytes, lambda name, found=found: found.read(name, 0, 1)):
                with pytest.raises(Missing):
                    act("a/absent")
    with pytest.raises(ArtifactError, match="nothing is at"):
        archive(str(folder / "absent"))


def test_broken_connections_are_taken_up_where_they_broke(folder: Path) -> None:
    pauses: list[float] = []
    with site({"*": files(folder / "crawl", cut_bytes=100_000)}) as server:
        found = archive(server.url, pauses)
        assert found.read("a/x.bin", 10, 300_000) == DATA[10:300_010]
        found.download("a/x.bin", folder / "copy", folder / "scratch")
        ranges = [headers.get("Range", "") for _, _, headers in server.asked]
    assert (folder / "copy").read_bytes() == DATA
    assert ranges[:3] == ["bytes=10-300009", "bytes=100010-300009", "bytes=200010-300009"]
    assert ranges[3:] == ["", *(f"bytes={n}00000-" for n in range(1, 6))]
    assert set(pauses) == {2.0}  # whatever brings something is not a failure in a row


def test_a_restart_goes_on_and_a_file_that_changed_begins_anew(folder: Path) -> None:
    with site({"*": files(folder / "crawl", cut_bytes=100_000)}) as server:
        with pytest.raises(DataError, match=r"a/x\.bin cannot be had: .*bytes are missing.*it goes on where it was"):
            archive(server.url, attempts=1).download("a/x.bin", folder / "copy", folder / "scratch")
        assert not (folder / "copy").exists() and (folder / "scratch/copy.part").stat().st_size == 100_000
    with site({"*": files(folder / "crawl")}) as server:
        archive(server.url).download("a/x.bin", folder / "copy", folder / "scratch")
        assert server.asked[0][2]["Range"] == "bytes=100000-" and len(server.asked) == 1
    assert (folder / "copy").read_bytes() == DATA
    (folder / "scratch/copy.part").write_bytes(b"old" * 100)
    (folder / "scratch/copy.json").write_text('{"etag": "\\"0\\"", "total": 512000}')
    with site({"*": files(folder / "crawl")}) as server:
        archive(server.url).download("a/x.bin", folder / "copy", folder / "scratch")
    assert (folder / "copy").read_bytes() == DATA
    (folder / "scratch/copy.part").write_bytes(DATA)
    with site({"*": files(folder / "crawl")}) as server:
        archive(server.url).download("a/x.bin", folder / "copy", folder / "scratch")
        assert len(server.asked) == 1


def test_trouble_is_waited_out_and_explained(folder: Path) -> None:
    pauses: list[float] = []

    def busy(asked: Any) -> None:
        if asked.number < 3:
            asked.say(503, Retry_After="7")
        else:
            files(folder / "crawl")(asked)

    with site({"*": busy}) as server:
        assert archive(server.url, pauses).read("a/x.bin", 0, 4) == DATA[:4]
        assert pauses == [7.0, 7.0]
    pauses.clear()
    with site({"*": page(b"", 500)}) as server:
        with pytest.raises(DataError, match="cannot be had: 500") as caught:
            archive(server.url, pauses, attempts=4, backoff_s=1.0).read("a/x.bin", 0, 4)
        assert pauses == [1.0, 2.0, 4.0] and caught.value.exit_code == 1
    with site({"*": page(DATA)}) as server:
        with pytest.raises(DataError, match="does not answer ranges.*Check the base"):
            archive(server.url).read("a/x.bin", 5, 4)


def test_a_stop_ends_the_pauses() -> None:
    with site({"*": page(b"", 503)}) as server:
        found = Archive(server.url, MANNERS, backoff_s=60.0)
        threading.Timer(0.2, found.stopped.set).start()
        begin_s = time.monotonic()
        with pytest.raises(DataError, match="cannot be had: 503"):
            found.read("a/x.bin", 0, 4)
    assert time.monotonic() - begin_s < 2


def test_a_part_longer_than_the_file_begins_anew(folder: Path) -> None:
    (folder / "scratch/copy.part").write_bytes(DATA + b"more")
    with site({"*": files(folder / "crawl")}) as server:
        found = archive(server.url)
        found.download("a/x.bin", folder / "copy", folder / "scratch")
        assert [headers.get("Range", "") for _, _, headers in server.asked] == [f"bytes={len(DATA) + 4}-", ""]
    assert (folder / "copy").read_bytes() == DATA


@pytest.mark.parametrize("status", [403, 429, 503])
def test_pauses_have_a_limit_and_a_time_that_has_passed_is_none(folder: Path, status: int) -> None:
    pauses: list[float] = []
    asks = ["9999", "Thu, 01 Jan 1970 00:00:09 GMT", "\xb2", "0"]

    def busy(asked: Any) -> None:
        if asked.number <= len(asks):
            asked.say(status, Retry_After=asks[asked.number - 1])
        else:
            files(folder / "crawl")(asked)

    with site({"*": busy}) as server:
        assert archive(server.url, pauses, backoff_s=1.0).read("a/x.bin", 0, 4) == DATA[:4]
    assert pauses == [300.0, 2.0, 4.0, 8.0]


def test_a_server_that_does_not_say_how_long_a_file_is(folder: Path) -> None:
    for length in ("", "\xb2", "x"):
        with site({"*": page(b"x", Content_Length=length)}) as server:
            with pytest.raises(DataError, match="does not say how long"):
                archive(server.url).size_bytes("a/x.bin")

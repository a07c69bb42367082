from pathlib import Path
from typing import Any

from hornbook.data.web.fetch_journal import Journal
from hornbook.data.web.warc import Other, Page, read_warc
from hornbook.data.web.warc_write import response

DATE = "2026-01-31T09:30:00Z"


def fetched(url: str) -> tuple[dict[str, Any], bytes, str]:
    return {"url": url, "rule": ""}, response(url, DATE, 200, "OK", [("Content-Type", "text/html")], b"x" * 300), DATE


def failed(url: str, **more: Any) -> tuple[dict[str, Any], None]:
    return {"url": url, "rule": "fetch.robots", **more}, None


def journal(folder: Path, job: str = "job", file_bytes: int = 10_000) -> Journal:
    return Journal(folder, folder / "fetch.jsonl", job, "Hornbook/test", file_bytes)


def pages(folder: Path) -> list[str]:
    files = sorted((folder / "warc").iterdir())
    found = [page for file in files for page in read_warc(file, "gzip")]
    assert found.count(Other("warcinfo")) == len(files)
    assert not any(page.flaw for page in found if isinstance(page, Page))
    return [page.url[-1] for page in found if isinstance(page, Page)]


def test_a_restart_knows_what_is_done_and_cuts_off_half_a_page(tmp_path: Path) -> None:
    with journal(tmp_path) as first:
        first.add(*fetched("http://a.example/1"))
        first.add(*failed("http://a.example/2"))
        first.add(*failed("http://a.example/3", passing=True))
        first.add(*fetched("http://a.example/4"))
    whole = (tmp_path / "warc/00000.warc.gz").read_bytes()
    with (tmp_path / "warc/00000.warc.gz").open("ab") as warc:
        warc.write(whole[:50])
    with (tmp_path / "fetch.jsonl").open("a") as lines:
        lines.write('{"url": "http://a.example/5", "ru')
    with journal(tmp_path) as second:
        assert [url[-1] for url in second.done] == ["1", "2", "4"]  # what may have passed is asked again
        assert (tmp_path / "warc/00000.warc.gz").read_bytes() == whole
        second.add(*fetched("http://a.example/3"))
    assert pages(tmp_path) == ["1", "4", "3"]
    with journal(tmp_path) as third:
        assert [url[-1] for url in third.done] == ["1", "2", "4", "3"]
        place = third.done["http://a.example/3"]
        assert place["offset"] == len(whole) and place["file"] == "00000.warc.gz"


def test_a_page_that_never_reached_the_disk_is_fetched_again(tmp_path: Path) -> None:
    with journal(tmp_path) as first:
        first.add(*fetched("http://a.example/1"))
        first.add(*fetched("http://a.example/2"))
    file = tmp_path / "warc/00000.warc.gz"
    file.write_bytes(file.read_bytes()[:-1])
    with journal(tmp_path) as second:
        assert list(second.done) == ["http://a.example/1"]
        second.add(*fetched("http://a.example/2"))
    assert pages(tmp_path) == ["1", "2"]


def test_another_job_begins_anew_and_files_are_cut_by_size(tmp_path: Path) -> None:
    with journal(tmp_path, file_bytes=1) as first:
        for number in range(3):
            first.add(*fetched(f"http://a.example/{number}"))
    assert pages(tmp_path) == ["0", "1", "2"] and len(list((tmp_path / "warc").iterdir())) == 3
    with journal(tmp_path, file_bytes=1) as again:
        again.add(*fetched("http://a.example/3"))
    assert pages(tmp_path) == ["0", "1", "2", "3"] and (tmp_path / "warc/00003.warc.gz").exists()
    with journal(tmp_path, "another job") as other:
        assert other.done == {} and list((tmp_path / "warc").iterdir()) == []

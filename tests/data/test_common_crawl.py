import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import read_documents
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import parse
from hornbook.data import common_crawl, extract
from hornbook.data.ledger import read_funnel
from hornbook.report.blocks import Funnel

sys.path.insert(0, str(Path(__file__).parent))
import crawls
import warcs
from sites import files, site

SITES = ["https://village.example/{}", "https://www.village.example/w/{}", "https://shop.village.example/{}"]
OTHERS = ["https://village.invalid/{}", "https://aaa.example/{}", "https://zoo.example/{}"]
QUICK = {"crawl": crawls.CRAWL, "backoff_s": 0.0, "timeout_s": 2.0}


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    urls = [place.format(i) for i in range(8) for place in SITES + OTHERS]
    pages = [(url, warcs.page(f"place {i}"), "deu,eng" if i // 6 % 4 == 0 else "eng") for i, url in enumerate(urls)]
    root = tmp_path / "archive"
    crawls.build(root, pages)
    return root


def do(folder: Path, **settings: Any) -> list[dict[str, Any]]:
    common_crawl.run(parse(common_crawl.Settings, QUICK | settings, "test"), {}, scratch_out(folder))
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


def texts(folder: Path) -> dict[str, str]:
    pages = Artifact(folder, Manifest(kind="pages"))
    out = folder.with_name(folder.name + "-text")
    extract.run(parse(extract.Settings, {"profile": "fast"}, "test"), {"pages": pages}, scratch_out(out))
    assert read_funnel(out)["dropped"] == {}
    return {document.url: document.text for document in read_documents(out)}


def wanted() -> set[str]:
    return {place.format(i) for i in range(8) for place in SITES}


def test_the_records_of_a_domain_from_a_server_that_breaks_off(crawl: Path, tmp_path: Path) -> None:
    with site({"*": files(crawl, cut_bytes=300)}) as server:
        lines = do(tmp_path / "out", domains=["village.example"], base=server.url)
        asked = Counter(server.paths())
    found = texts(tmp_path / "out")
    assert set(found) == wanted() == {line["url"] for line in lines} and "place 1 0" in found[SITES[1].format(0)]
    assert [line["url"] for line in lines] == sorted((line["url"] for line in lines), key=crawls.surt)
    assert not any(line["rule"] for line in lines) and len(asked) == 5  # cluster.idx, two cdx and two WARC files
    do(tmp_path / "local", domains=["village.example"], base=str(crawl))
    assert payload_hash(tmp_path / "out") == payload_hash(tmp_path / "local")


def test_choosing_and_what_was_left_out(crawl: Path, tmp_path: Path) -> None:
    folder = crawl / f"cc-index/collections/{crawls.CRAWL}/indexes"
    blocks = [gzip.decompress((folder / name).read_bytes()).decode() for name in ("cdx-00000.gz", "cdx-00001.gz")]
    lines = "".join(blocks).splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith("example,village)/")]
    assert len(at) == 16
    lines[at[0]] = lines[at[0]].replace('"status": "200"', '"status": "301"')
    lines[at[1]] = lines[at[1]].replace('"mime-detected": "text/html"', '"mime-detected": "application/pdf"')
    lines[at[2]] = lines[at[3]]
    lines[at[4]] = lines[at[4]][:60]
    lines[at[5]] = lines[at[5]].replace("part-00000", "part-00009").replace("part-00001", "part-00009")
    lines[at[6]] = lines[at[6]].replace('"offset": "', '"offset": "1')
    lines[at[7]] = lines[at[7]].replace('"digest": "', '"digest": "AAAA')
    crawls.index(crawl, lines)
    found = do(tmp_path / "out", domains=["village.example/", "shop.village.example"], base=str(crawl))
    rules = Counter(line["rule"] for line in found)
    assert rules == {
        "": 17,
        "common_crawl.http_status": 1,
        "common_crawl.media_type": 1,
        "common_crawl.duplicate": 9,  # one line twice, and the subdomain was in the first domain
        "common_crawl.bad_line": 1,
        "common_crawl.missing": 1,
        "common_crawl.damaged": 2,
    }
    assert set(rules) - {""} <= set(common_crawl.RULES)
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == funnel["kept"] + sum(funnel["dropped"].values()) == 32
    assert any("its digest is" in str(line["value"]) for line in found)
    few = {"languages": ["deu"], "match": "*/w/*", "base": str(crawl)}
    found = do(tmp_path / "few", domains=["village.example"], **few)
    assert {line["languages"] for line in found if not line["rule"]} == {"deu,eng"}
    assert {line["rule"] for line in found} >= {"common_crawl.address", "common_crawl.language"}
    shown = common_crawl.describe(Artifact(tmp_path / "out", Manifest(kind="pages")))
    assert isinstance(shown[0], Funnel) and (shown[0].num_in, shown[0].num_kept) == (32, 17)


def test_limits_and_lists_without_loading(crawl: Path, tmp_path: Path) -> None:
    lines = do(tmp_path / "out", domains=["village.example/w/"], max_records=3, base=str(crawl))
    assert [line["url"] for line in lines] == [SITES[1].format(i) for i in range(3)]
    with site({"*": files(crawl)}) as server:
        lines = do(tmp_path / "list", domains=["village.example"], list_only=True, base=server.url)
        assert len(lines) == 24 and not any("warc" in path for path in server.paths())
        lines = do(tmp_path / "files", num_files=5, list_only=True, base=server.url)
    sizes = [(crawl / line["path"]).stat().st_size for line in lines]
    assert [line["bytes"] for line in lines] == sizes and len(sizes) == 2
    assert list((tmp_path / "files/warc").iterdir()) == []


def test_whole_files_are_copied_byte_for_byte(crawl: Path, tmp_path: Path) -> None:
    with site({"*": files(crawl, cut_bytes=3000)}) as server:
        lines = do(tmp_path / "out", num_files=1, skip_files=1, base=server.url)
    [line] = lines
    [copy] = (tmp_path / "out/warc").iterdir()
    assert copy.name == "part-00001.warc.gz" and copy.read_bytes() == (crawl / line["path"]).read_bytes()
    assert len(texts(tmp_path / "out")) == 24
    lists = crawl / f"crawl-data/{crawls.CRAWL}/wet.paths.gz"
    lists.write_bytes(gzip.compress(b"crawl-data/absent.warc.wet.gz\n"))
    with pytest.raises(DataError, match=r"common_crawl\.missing 1"):
        do(tmp_path / "wet", kind="wet", base=str(crawl))


PROGRAM = """
import json, sys
from pathlib import Path
from hornbook.core.artifact import scratch_out
from hornbook.core.settings import parse
from hornbook.data import common_crawl
settings = parse(common_crawl.Settings, json.loads(sys.argv[2]), "test")
common_crawl.run(settings, {}, scratch_out(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("how", [{"domains": ["village.example"], "at_once": 1}, {"num_files": 2}])
def test_a_killed_download_goes_on_and_gives_the_same_bytes(crawl: Path, tmp_path: Path, how: dict[str, Any]) -> None:
    def slow(asked: Any) -> None:
        time.sleep(0.02)
        files(crawl, cut_bytes=2000)(asked)

    with site({"*": slow}) as server:
        settings = QUICK | {"base": server.url} | how
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "out"), json.dumps(settings)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, env=environment) as process:
            while len(server.asked) < 14 and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        before = len(server.asked)
        do(tmp_path / "out", base=server.url, **how)
        rest = len(server.asked) - before
        server.asked.clear()
        do(tmp_path / "straight", base=server.url, **how)
        assert rest < len(server.asked) - 5  # what was there was not loaded again
    assert payload_hash(tmp_path / "out") == payload_hash(tmp_path / "straight")


def test_wrong_settings_are_explained(crawl: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match='there is no crawl "CC-MAIN-1999-01" here.*index.commoncrawl.org'):
        do(tmp_path / "a", crawl="CC-MAIN-1999-01", base=str(crawl))
    with pytest.raises(DataError, match='there is no crawl "CC-MAIN-1999-01" here'):
        do(tmp_path / "b", crawl="CC-MAIN-1999-01", base=str(crawl), domains=["a.example"])
    with pytest.raises(SettingsError, match="is for whole files"):
        do(tmp_path / "c", domains=["a.example"], kind="wet")
    with pytest.raises(SettingsError, match="is no domain"):
        do(tmp_path / "d", domains=["not a domain"])
    with pytest.raises(SettingsError, match="crawl"):
        do(tmp_path / "e", crawl="../../etc")
    with pytest.raises(DataError, match="nothing was found to read"):
        do(tmp_path / "f", domains=["nobody.example"], base=str(crawl))


def test_the_plan_says_how_much_at_most() -> None:
    def derived(**settings: Any) -> Any:
        return common_crawl.resolve(parse(common_crawl.Settings, QUICK | settings, "test"), probe=None, hints={})[1]

    assert derived(domains=["a.example"], max_records=50) == {"pages_at_most": 50, "output_bytes": 200_000}
    assert derived(num_files=2)["pages_at_most"] == 60_000


def test_the_list_names_each_place_once_and_what_was_passed_over(crawl: Path, tmp_path: Path) -> None:
    settings = {"domains": ["village.example"], "languages": ["deu"], "base": str(crawl)}
    listed = do(tmp_path / "list", list_only=True, **settings)
    loaded = do(tmp_path / "out", **settings)
    assert [line["url"] for line in listed] == [line["url"] for line in loaded] and len(listed) == 24
    for before, after in zip(listed, loaded, strict=True):
        assert "place" not in before | after and (before["path"], before["begin"]) == (after["path"], after["begin"])
        assert ("file" in after) is (after["rule"] == "")
    assert Counter(line["rule"] for line in listed)["common_crawl.language"] > 9


def test_records_that_are_too_large_are_not_loaded(crawl: Path, tmp_path: Path) -> None:
    folder = crawl / f"cc-index/collections/{crawls.CRAWL}/indexes"
    blocks = [gzip.decompress((folder / name).read_bytes()).decode() for name in ("cdx-00000.gz", "cdx-00001.gz")]
    lines = "".join(blocks).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("example,village)/"))
    for number, size in ((at, common_crawl.MAX_RECORD_BYTES + 1), (at + 1, 0)):
        key, stamp, rest = lines[number].split(" ", 2)
        lines[number] = f"{key} {stamp} {json.dumps(json.loads(rest) | {'length': str(size)})}"
    crawls.index(crawl, lines)
    with site({"*": files(crawl)}) as server:
        found = do(tmp_path / "out", domains=["village.example"], base=server.url)
        assert sum("warc" in path for path in server.paths()) == 22
    left = [(line["rule"], line["value"]) for line in found if line["rule"]]
    assert left[0] == ("common_crawl.damaged", f"a record of {(64 << 20) + 1} bytes")
    assert left[1] == ("common_crawl.bad_line", lines[at + 1][:200]) and len(left) == 2

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.core.artifact import Artifact, Manifest, scratch_out
from hornbook.core.document import Document, read_documents, to_table
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import parse
from hornbook.data import extract, fetch
from hornbook.data.ledger import read_funnel
from hornbook.report.blocks import Funnel, Table

sys.path.insert(0, str(Path(__file__).parent))
import warcs
from sites import Asked, moved, page, robots, site

QUICK: dict[str, Any] = {"private": True, "delay_s": 0.0, "backoff_s": 0.01, "timeout_s": 1.0, "total_s": 5.0}


def do(folder: Path, documents: tuple[Artifact, ...] = (), **settings: Any) -> list[dict[str, Any]]:
    out = scratch_out(folder)
    inputs = {"documents": documents} if documents else {}
    fetch.run(parse(fetch.Settings, QUICK | settings, "test"), inputs, out)
    return [json.loads(line) for line in (folder / "urls.jsonl").read_text().splitlines()]


def flaky(asked: Asked) -> None:
    if asked.number < 2:
        asked.say(503)
    else:
        asked.say(200, warcs.page("flaky").encode())


def slow(asked: Asked) -> None:
    asked.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    time.sleep(2.0)


def test_a_list_becomes_pages_that_the_next_stage_reads_and_every_address_is_accounted_for(tmp_path: Path) -> None:
    routes = {f"/{name}": page(warcs.page(name).encode()) for name in ("one", "two", "three")}
    routes |= {
        "/robots.txt": robots("User-agent: *\nDisallow: /secret"),
        "/flaky": flaky,
        "/slow": slow,
        "/large": page(b"x" * 60_000),
        "/moved": moved("/target"),
        "/target": page(warcs.page("target").encode()),
        "/again": moved("/one"),
        "/picture": page(b"\x89PNG", mime="image/png"),
        "/secret": page(),
        "/latin": page(warcs.page("Köln am Rhein").encode("latin-1"), mime="text/html; charset=ISO-8859-1"),
    }
    names = "one two flaky missing slow large moved again picture secret latin three".split()
    with site(routes) as server:
        urls = [f"{server.url}/{name}" for name in names]
        dead = server.url.rpartition(":")[0] + ":1/"
        (tmp_path / "list.txt").write_text("\n".join([*urls, urls[0] + "#top", "no address", dead, ""]))
        settings = {"path": str(tmp_path / "list.txt"), "max_page_bytes": 50_000, "attempts": 2, "licence": "mine"}
        lines = do(tmp_path / "out", **settings)
        assert Counter(server.paths())["/flaky"] == 2 and "/secret" not in server.paths()
        agent = server.asked[0][2]["User-Agent"]
    assert agent.startswith("Hornbook/") and "(" not in agent
    assert {line["url"].rsplit("/", 1)[-1]: line["rule"] for line in lines[:12] if line["rule"]} == {
        "missing": "fetch.http_status",
        "slow": "fetch.timeout",
        "large": "fetch.too_large",
        "again": "fetch.duplicate",
        "picture": "fetch.media_type",
        "secret": "fetch.robots",
    }
    assert [line["rule"] for line in lines[12:]] == ["fetch.duplicate", "fetch.bad_url", "fetch.robots_unreachable"]
    assert {line["rule"] for line in lines} - {""} <= set(fetch.RULES)
    funnel = read_funnel(tmp_path / "out")
    assert funnel["in"] == len(lines) == funnel["kept"] + sum(funnel["dropped"].values()) and funnel["kept"] == 6
    pages = Artifact(tmp_path / "out", Manifest(kind="pages"))
    extract.run(parse(extract.Settings, {"profile": "fast"}, "test"), {"pages": pages}, scratch_out(tmp_path / "text"))
    found = {document.url.rsplit("/", 1)[-1]: document.text for document in read_documents(tmp_path / "text")}
    assert set(found) == {"one", "two", "flaky", "target", "latin", "three"}
    assert all(paragraph in found["latin"] for paragraph in warcs.body("Köln am Rhein"))
    shown = fetch.describe(pages)
    assert isinstance(shown[0], Funnel) and (shown[0].num_in, shown[0].num_kept, shown[0].unit) == (15, 6, "pages")
    [hosts] = [block for block in shown if isinstance(block, Table) and block.title == "Hosts"]
    assert hosts.rows[0][1:3] == [6, 7] and len(hosts.rows) == 3


def test_lists_of_every_kind(tmp_path: Path) -> None:
    with site({"*": page()}) as server:
        urls = [f"{server.url}/{i}" for i in range(3)]
        (tmp_path / "l.csv").write_text("n,link\n" + "".join(f"{i},{url}\n" for i, url in enumerate(urls)))
        (tmp_path / "odd.jsonl").write_text(json.dumps({"url": urls[0]}) + '\n{"url": "\\ud800"}\n')
        odd = do(tmp_path / "odd", path=str(tmp_path / "odd.jsonl"))
        assert [line["rule"] for line in odd] == ["", "fetch.bad_url"]
        server.asked.clear()
        (tmp_path / "kept").mkdir()
        documents = [Document(str(i), "title", url) for i, url in enumerate(urls)]
        pq.write_table(to_table(documents), tmp_path / "kept/0.parquet")
        artifact = Artifact(tmp_path, Manifest(kind="documents"))
        for number, lines in enumerate(
            (
                do(tmp_path / "a", urls=urls),
                do(tmp_path / "b", path=str(tmp_path / "l.csv"), field="link", contact="https://me.example/bot"),
                do(tmp_path / "c", documents=(artifact,)),
            )
        ):
            assert [line["url"] for line in lines] == urls and not any(line["rule"] for line in lines), number
        assert "(+https://me.example/bot)" in server.asked[5][2]["User-Agent"]


def test_private_addresses_are_refused_by_default(tmp_path: Path) -> None:
    with site({"*": page()}) as server:
        local = server.url.replace("127.0.0.1", "localhost")
        with pytest.raises(DataError, match=r"no document was kept out of 2 .*fetch\.private_address 2.*urls\.jsonl"):
            do(tmp_path, urls=[local, "http://169.254.169.254/latest/meta-data/"], private=False)
        assert server.asked == []
    lines = [json.loads(line) for line in (tmp_path / "urls.jsonl").read_text().splitlines()]
    assert lines[1]["value"] == "169.254.169.254 is 169.254.169.254"


def test_wrong_settings_are_explained(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="give one of urls, path"):
        do(tmp_path)
    with pytest.raises(SettingsError, match="give one of urls, path"):
        do(tmp_path, urls=["http://a.example"], path="x")
    with pytest.raises(SettingsError, match="a contact is printable ASCII"):
        do(tmp_path, urls=["http://a.example"], contact="me\r\nX-Evil: 1")


def test_several_hosts_are_asked_at_once_and_one_host_never_is(tmp_path: Path) -> None:
    busy = Counter[int]()
    most = Counter[int]()

    def waits(asked: Asked) -> None:
        port = asked.server.server_port
        with asked.server.lock:
            busy[port] += 1
            most[port] = max(most[port], busy[port])
        most[0] = max(most[0], sum(busy.values()))
        time.sleep(0.1)
        busy[port] -= 1
        asked.say(200, b"x")

    routes = {"*": waits, "/robots.txt": page(b"", 404)}
    with site(routes) as a, site(routes) as b, site(routes) as c:
        lines = do(tmp_path, urls=[f"{server.url}/{i}" for i in range(4) for server in (a, b, c)], hosts_at_once=3)
        assert not any(line["rule"] for line in lines)
        assert most[0] >= 2 and [most[server.server_port] for server in (a, b, c)] == [1, 1, 1]


PROGRAM = """
import json, sys
from pathlib import Path
from hornbook.core.artifact import scratch_out
from hornbook.core.settings import parse
from hornbook.data import fetch
fetch.run(parse(fetch.Settings, json.loads(sys.argv[2]), "test"), {}, scratch_out(Path(sys.argv[1])))
"""


def test_a_killed_fetch_goes_on_and_asks_for_nothing_twice(tmp_path: Path) -> None:
    with site({"*": page(warcs.page("x").encode()), "/robots.txt": page(b"", 404)}) as server:
        urls = [f"{server.url}/{i}" for i in range(40)]
        settings = QUICK | {"urls": urls, "delay_s": 0.02}
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / "out"), json.dumps(settings)]
        for enough in (9, 25):
            with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}) as process:
                while len(server.asked) < enough and process.poll() is None:
                    time.sleep(0.005)
                process.send_signal(signal.SIGKILL)
        before = server.paths()
        lines = do(tmp_path / "out", urls=urls, delay_s=0.02)
        asked = Counter(server.paths())
    assert 20 < len(before) < 45
    assert [line["url"] for line in lines] == urls and not any(line["rule"] for line in lines)
    assert sum(asked[f"/{i}"] - 1 for i in range(40)) <= 2  # the page in flight at each of two kills
    pages = Artifact(tmp_path / "out", Manifest(kind="pages"))
    extract.run(parse(extract.Settings, {"profile": "fast"}, "test"), {"pages": pages}, scratch_out(tmp_path / "text"))
    assert read_funnel(tmp_path / "text")["kept"] == 40 and read_funnel(tmp_path / "text")["dropped"] == {}


def test_the_plan_says_how_much_and_how_long(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text(
        "".join(f"http://h{i % 4}.example/{i}\n" for i in range(400)) + "http://h0.example/0\nx\n"
    )
    settings = parse(fetch.Settings, {"path": str(tmp_path / "l.txt"), "delay_s": 2.0, "hosts_at_once": 2}, "test")
    same, derived = fetch.resolve(settings, probe=None, hints={})
    assert same == settings
    assert derived == {"addresses": 400, "hosts": 4, "at_least": "6m 40s", "output_bytes": 1_600_000}
    assert fetch.resolve(parse(fetch.Settings, {}, "test"), probe=None, hints={})[1] == {}

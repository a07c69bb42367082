import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from hornbook.data.web.crawler import Crawler, Outcome, Rules, Stopped, retry_after
from hornbook.data.web.http_get import Manners

sys.path.insert(0, str(Path(__file__).parents[1]))
from sites import Asked, Route, moved, page, robots, site

MANNERS = Manners("Hornbook/test", 5.0, 9.0, 10_000, private=True)
QUICK: dict[str, Any] = {"manners": MANNERS, "delay_s": 0.0, "backoff_s": 0.01}


def fetch(url: str, claimed: set[str] | None = None, **rules: Any) -> Outcome:
    return Crawler(Rules(**(QUICK | rules)), claimed or {url}).fetch(url)


def fails(times: int, status: int = 503, **headers: str) -> Route:
    """A route that answers only after some failures."""

    def answer(asked: Asked) -> None:
        if asked.number <= times:
            asked.say(status, **headers)
        else:
            asked.say(200, b"at last")

    return answer


def test_a_page_and_what_it_came_with() -> None:
    with site({"/a": page(b"<p>x</p>", X_Name="y")}) as server:
        outcome = fetch(server.url + "/a")
        assert server.paths() == ["/robots.txt", "/a"]
    found = outcome.page
    assert found is not None and (found.url, found.body, found.status) == (server.url + "/a", b"<p>x</p>", 200)
    assert ("X-Name", "y") in found.headers and abs(time.time() - _seconds(found.date)) < 5
    assert (outcome.rule, outcome.attempts) == ("", 1)


def _seconds(date: str) -> float:
    import calendar

    return calendar.timegm(time.strptime(date, "%Y-%m-%dT%H:%M:%SZ"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(status: int) -> None:
    with site({"/a": fails(2, status)}) as server:
        assert fetch(server.url + "/a").attempts == 3
        server.asked.clear()
        outcome = fetch(server.url + "/a", attempts=2)
    assert (outcome.rule, outcome.value, outcome.passing) == ("http_status", str(status), True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204, 304])
def test_final_answers_are_not_asked_again(status: int) -> None:
    with site({"/a": page(b"", status)}) as server:
        outcome = fetch(server.url + "/a")
        assert server.paths() == ["/robots.txt", "/a"]
    assert (outcome.rule, outcome.value, outcome.passing, outcome.page) == ("http_status", str(status), False, None)


def test_pauses_double_and_retry_after_goes_before() -> None:
    with site({"/a": fails(3), "/b": fails(1, 429, Retry_After="1"), "/c": fails(1, 429, Retry_After="99")}) as server:
        fetch(server.url + "/a", backoff_s=0.1)
        times = [at for at, path, _ in server.asked if path == "/a"]
        pauses = [after - before for before, after in zip(times, times[1:], strict=False)]
        for pause, expected in zip(pauses, (0.1, 0.2, 0.4), strict=True):
            assert 0.5 * expected <= pause <= 1.5 * expected + 1.0
        fetch(server.url + "/b")
        first, second = (at for at, path, _ in server.asked if path == "/b")
        assert 1.0 <= second - first < 2.5
        outcome = fetch(server.url + "/c", max_wait_s=30.0)
        assert outcome.value == "429 (Retry-After 99 s)" and server.paths().count("/c") == 1
    assert retry_after("Thu, 01 Jan 1970 00:00:09 GMT", 4.0) == 5.0 and retry_after("", 0) is None


def test_one_host_is_asked_slowly_whoever_asks() -> None:
    with site({"*": page()}) as server:
        crawler = Crawler(Rules(**(QUICK | {"delay_s": 0.1})), set())
        urls = [f"{server.url}/{i}" for i in range(6)]
        threads = [threading.Thread(target=crawler.fetch, args=(url,)) for url in urls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        times = sorted(at for at, _, _ in server.asked)
    assert len(times) == 7 and server.paths().count("/robots.txt") == 1
    assert min(after - before for before, after in zip(times, times[1:], strict=False)) > 0.08


def test_crawl_delay_is_honoured_up_to_its_limit() -> None:
    for limit, low, high in ((9.0, 0.98, 9.0), (0.1, 0.08, 0.9)):
        with site({"/robots.txt": robots("User-agent: *\nCrawl-delay: 1"), "*": page()}) as server:
            crawler = Crawler(Rules(**(QUICK | {"max_delay_s": limit})), set())
            for path in ("/a", "/b"):
                crawler.fetch(server.url + path)
            times = [at for at, _, _ in server.asked]
        assert low < times[2] - times[1] < high


def test_robots_forbid_and_its_trouble_forbids_everything() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: Hornbook\nDisallow: /private/*.html$\n"
    with site({"/robots.txt": robots(text), "*": page()}) as server:
        assert fetch(server.url + "/private/a.html").rule == "robots"
        assert fetch(server.url + "/private/a.html?x").rule == ""
        assert "/private/a.html" not in server.paths()
    for route, rule in (
        (page(b"", 500), "robots_unreachable"),
        (page(b"", 505), "robots_unreachable"),
        (page(b"", 429), "robots_unreachable"),
        (lambda asked: asked.wfile.write(b"?\r\n\r\n"), "robots_unreachable"),
        (page(b"", 403), ""),
        (page(b"", 404), ""),
        (moved("/robots.txt"), ""),
    ):
        with site({"/robots.txt": route, "*": page()}) as server:
            assert fetch(server.url + "/a", attempts=2).rule == rule
            assert ("/a" in server.paths()) is (rule == "")
    with site({"/robots.txt": moved("/elsewhere"), "/elsewhere": robots("User-agent: *\nDisallow: /a")}) as server:
        assert fetch(server.url + "/a").rule == "robots"


def test_redirects_are_followed_checked_and_bounded() -> None:
    with site({"/robots.txt": robots("User-agent: *\nDisallow: /no"), "/end": page(b"end")}) as other:
        routes = {
            "/a": moved("/b", 301),
            "/b": moved(other.url + "/end", 308),
            "/forbidden": moved(other.url + "/no"),
            "/loop": moved("/loop2"),
            "/loop2": moved("/loop"),
            "/nowhere": page(b"", 302),
            "/file": moved("file:///etc/passwd"),
            "/listed": moved("/b"),
        }
        routes |= {f"/{i}": moved(f"/{i + 1}") for i in range(9)}
        with site(routes) as server:
            outcome = fetch(server.url + "/a")
            assert outcome.page is not None and outcome.page.url == other.url + "/end" and outcome.attempts == 3
            assert fetch(server.url + "/forbidden").rule == "robots" and "/no" not in other.paths()
            assert fetch(server.url + "/loop").value == f"a loop back to {server.url}/loop"
            assert fetch(server.url + "/nowhere").rule == "redirects"
            assert fetch(server.url + "/file").rule == "bad_url"
            assert fetch(server.url + "/0").value == f"more than 5, the last to {server.url}/6"
            assert fetch(server.url + "/6", max_redirects=2).rule == "redirects"
            both = {server.url + "/listed", server.url + "/b"}
            assert fetch(server.url + "/listed", both).rule == "duplicate"


def test_a_redirect_into_a_private_network_is_refused(monkeypatch: Any) -> None:
    from hornbook.data.web import http_get

    with site({"/a": moved("http://inside.example/")}) as server:
        monkeypatch.setattr(http_get, "is_private", lambda address: address == "10.0.0.1")
        known = {"inside.example": "10.0.0.1", "127.0.0.1": "127.0.0.1"}
        info = (http_get.socket.AF_INET, http_get.socket.SOCK_STREAM, 6, "")
        monkeypatch.setattr(http_get.socket, "getaddrinfo", lambda host, port, **_: [(*info, (known[host], port))])
        outcome = fetch(server.url + "/a", manners=Manners("x", 0.5, 1.0))
    assert (outcome.rule, outcome.value) == ("private_address", "inside.example is 10.0.0.1")


def test_types_and_sizes() -> None:
    routes = {
        "/pdf": page(b"%PDF", mime="application/pdf"),
        "/text": page(b"words", mime="text/plain; charset=utf-8"),
        "/large": page(b"x" * 20_000),
    }
    with site(routes) as server:
        assert (fetch(server.url + "/pdf").rule, fetch(server.url + "/pdf").value) == ("media_type", "application/pdf")
        assert fetch(server.url + "/text").rule == "" and fetch(server.url + "/large").rule == "too_large"


def test_a_host_that_fails_again_and_again_is_left_alone() -> None:
    with site({"*": page(b"", 503), "/robots.txt": page(b"", 404)}) as server:
        crawler = Crawler(Rules(**(QUICK | {"attempts": 2})), set())
        found = [crawler.fetch(f"{server.url}/{i}") for i in range(8)]
        assert len(server.paths()) == 1 + 2 * 5
    assert [outcome.rule for outcome in found] == ["http_status"] * 5 + ["host_down"] * 3
    assert all(outcome.passing for outcome in found)


def test_stopping_ends_every_pause() -> None:
    with site({"/a": page(b"", 503)}) as server:
        crawler = Crawler(Rules(**(QUICK | {"backoff_s": 60.0})), set())
        threading.Timer(0.3, crawler.stopped.set).start()
        begin_s = time.monotonic()
        with pytest.raises(Stopped):
            crawler.fetch(server.url + "/a")
    assert time.monotonic() - begin_s < 2


def latin(text: str) -> str:
    """The raw UTF-8 of a text, as a header of the test server takes bytes."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize("location", ["http://[sitename]/x", "http://a.example:99999/", "http://[::1/", "http://\xb2/"])
def test_a_redirect_to_what_is_no_address_costs_one_page(location: str) -> None:
    with site({"/a": moved(location), "/b": page()}) as server:
        crawler = Crawler(Rules(**QUICK), set())
        outcome = crawler.fetch(server.url + "/a")
        assert outcome.rule in ("bad_answer", "bad_url") and outcome.value and not outcome.passing
        assert crawler.fetch(server.url + "/b").rule == ""
    with site({"/robots.txt": moved(location), "/b": page()}) as server:
        assert fetch(server.url + "/b").rule == "robots_unreachable"


def test_redirects_in_raw_utf8_lead_where_they_say() -> None:
    routes = {
        "/a": moved(latin("/straße/à?q=ä x")),
        "/b": moved("/stra\xdfe"),
        "/c": moved("/already%C3%9F%zz"),
    }
    with site(routes | {"*": page()}) as server:
        for name in "abc":
            assert fetch(f"{server.url}/{name}").rule == ""
        paths = [path for path in server.paths() if path not in ("/robots.txt", *routes)]
    assert paths == ["/stra%C3%9Fe/%C3%A0?q=%C3%A4%20x", "/stra%DFe", "/already%C3%9F%zz"]


@pytest.mark.parametrize(
    "value",
    ["\xb2", "9" * 5000, "Thu, 01 Jan 1970 00:00:09 +9999999999999999", "-1", "Thu, 99 Xxx 0000", ", , :", "1e9"],
)
def test_a_retry_after_that_says_nothing_is_passed_over(value: str) -> None:
    assert retry_after(value, 0.0) in (None, float("inf"))
    with site({"/a": fails(1, 429, Retry_After=value)}) as server:
        assert fetch(server.url + "/a").rule == ("" if len(value) < 5000 else "http_status")
    assert retry_after("Thu, 01 Jan 1970 00:00:09 GMT", 100.0) == 0.0


def test_a_host_has_one_request_at_a_time_also_from_redirects() -> None:
    now: list[int] = []
    most: list[int] = []

    def waits(asked: Asked) -> None:
        now.append(1)
        most.append(len(now))
        time.sleep(0.03)
        now.pop()
        asked.say(200, b"x")

    nothing = page(b"", 404)
    with site({"*": waits, "/robots.txt": nothing}) as slow:
        routes = {f"/{i}": moved(f"{slow.url}/from/{i}") for i in range(3)}
        with site(routes | {"/robots.txt": nothing}) as one, site(routes | {"/robots.txt": nothing}) as two:
            routes |= {f"/{i}": moved(f"{slow.url}/again/{i}") for i in range(3)}
            two.routes |= routes
            crawler = Crawler(Rules(**QUICK), set())
            urls = [f"{server.url}/{i}" for i in range(3) for server in (slow, one, two)]
            found: list[Outcome] = []
            threads = [threading.Thread(target=lambda url=url: found.append(crawler.fetch(url))) for url in urls]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    assert {outcome.rule for outcome in found} == {""} and len(most) == 9 and max(most) == 1


def test_a_server_that_asks_for_too_long_a_pause_is_left_alone() -> None:
    with site({"/a": fails(1, 429, Retry_After="99"), "*": page()}) as server:
        crawler = Crawler(Rules(**(QUICK | {"max_wait_s": 30.0})), set())
        found = [crawler.fetch(f"{server.url}/{name}") for name in "abc"]
        assert server.paths() == ["/robots.txt", "/a"]
    assert [(o.rule, o.value) for o in found[:2]] == [
        ("http_status", "429 (Retry-After 99 s)"),
        ("host_down", "it asks for a pause of 99 s"),
    ]
    assert all(outcome.passing for outcome in found)


def test_an_answer_in_between_is_a_new_beginning() -> None:
    with site({"/fine": page(), "/gone": page(b"", 404), "/robots.txt": page(b"", 404), "*": page(b"", 503)}) as server:
        crawler = Crawler(Rules(**(QUICK | {"attempts": 1})), set())
        names = [*"abcd", "fine", *"efgh", "gone", *"ijkl"]
        found = [crawler.fetch(f"{server.url}/{name}").rule for name in names]
    assert found == ["http_status"] * 4 + [""] + ["http_status"] * 9


def test_trouble_with_robots_is_told_anew_each_time() -> None:
    with site({"/robots.txt": page(b"", 404)}) as server:
        crawler = Crawler(Rules(**(QUICK | {"manners": Manners("x", 1.0, 1.0)})), set())
        outcomes = [crawler.fetch(f"{server.url}/{name}") for name in "abc"]
        [host] = vars(crawler)["_hosts"].values()
    assert {(outcome.rule, outcome.passing) for outcome in outcomes} == {("private_address", False)}
    depth = len(traceback.extract_tb(host.robots["http"].__traceback__))
    assert crawler.fetch(f"{server.url}/d").value == outcomes[0].value
    assert len(traceback.extract_tb(host.robots["http"].__traceback__)) == depth

"""Ask for pages one by one as a good guest: robots.txt, one request at a time per host, pauses, back-off, redirects."""

import email.utils
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from hornbook.core.seed import stream
from hornbook.data.web.http_body import undo
from hornbook.data.web.http_get import Answer, GetError, Manners, normal, opened
from hornbook.data.web.robots import MAX_BYTES, Robots, parse

AGENT = "hornbook"
REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (429, 500, 502, 503, 504)
ROBOTS_REDIRECTS = 5
HOST_FAILURES = 5
Taken = TypeVar("Taken")


class Stopped(Exception):
    """The crawl is being stopped."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the crawler behaves: pauses, retries, what it accepts."""

    manners: Manners
    delay_s: float = 1.0
    max_delay_s: float = 30.0
    attempts: int = 4
    backoff_s: float = 2.0
    max_wait_s: float = 120.0
    max_redirects: int = 5
    types: tuple[str, ...] = ("text/html", "application/xhtml+xml", "text/plain")
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page as it came: where from, when, its head and its decoded body."""

    url: str
    date: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class Outcome:
    """What became of one address. `rule`: "" or why there is no page (without the stage's name), `value` says more.

    `passing`: asking again another day may help; `attempts`: requests made for it.
    """

    url: str
    rule: str = ""
    value: str = ""
    passing: bool = False
    attempts: int = 0
    page: Fetched | None = None


@dataclass
class _Host:
    """What the crawler knows about one host (name and port). `next_s`: when it may be asked again."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    robots_lock: threading.Lock = field(default_factory=threading.Lock)
    robots: dict[str, Robots | GetError] = field(default_factory=dict[str, "Robots | GetError"])
    delay_s: float = 0.0
    next_s: float = 0.0
    num_failures: int = 0


class Crawler:
    """Fetches pages from any thread. `claimed`: addresses that somebody else asks for already."""

    def __init__(self, rules: Rules, claimed: set[str]) -> None:
        self.rules = rules
        self.stopped = threading.Event()
        self._claimed = claimed
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()

    def fetch(self, url: str, index: int = 0) -> Outcome:
        """The page at a (normal) address, through redirects. `index`: its place in the list, for the jitter.

        Raises Stopped when the crawl is being stopped.
        """
        outcome = Outcome(url)
        seen = {url}
        here = url
        try:
            for _ in range(self.rules.max_redirects + 1):
                self._check_robots(here)
                found = self._ask(here, index, outcome, self._page)
                if isinstance(found, Fetched):
                    outcome.page = found
                    return outcome
                here = found
                if here in seen:
                    raise GetError("redirects", f"a loop back to {here}")
                seen.add(here)
                self._claim(here)
            raise GetError("redirects", f"more than {self.rules.max_redirects}, the last to {here}")
        except GetError as error:
            outcome.rule, outcome.value, outcome.passing = error.rule, error.found, error.passing
        return outcome

    def _claim(self, url: str) -> None:
        with self._lock:
            if url in self._claimed:
                raise GetError("duplicate", f"redirects to {url}, which is fetched already")
            self._claimed.add(url)

    def _host(self, url: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(urlsplit(url).netloc, _Host(delay_s=self.rules.delay_s))

    def _ask(self, url: str, index: int, outcome: Outcome, take: Callable[[Answer], Taken]) -> Taken:
        """One request, and again after a pause while the trouble may pass."""
        host = self._host(url)
        if host.num_failures >= HOST_FAILURES:
            raise GetError("host_down", f"{host.num_failures} failures in a row", passing=True)
        rules = self.rules
        jitter = stream(rules.seed, f"data.fetch/{url}", index)
        trouble = GetError("connection", "never asked", passing=True)
        for attempt in range(rules.attempts):
            self._wait_turn(host)
            outcome.attempts += 1
            wait_s = min(rules.max_wait_s, rules.backoff_s * 2**attempt * (0.5 + jitter.random()))
            try:
                with opened(url, rules.manners) as answer:
                    if answer.status not in PASSING:
                        found = take(answer)
                        host.num_failures = 0
                        return found
                    trouble = GetError("http_status", str(answer.status), passing=True)
                    asked_s = retry_after(answer.header("retry-after"), time.time())
                    if asked_s is not None:
                        trouble.found += f" (Retry-After {asked_s:.0f} s)"
                        wait_s = max(wait_s, asked_s)
            except GetError as error:
                if not error.passing:
                    host.num_failures = 0
                    raise
                trouble = error
            if attempt + 1 == rules.attempts or wait_s > rules.max_wait_s:
                break
            self._pause(host, wait_s)
        host.num_failures += 1
        raise trouble

    def _page(self, answer: Answer) -> Fetched | str:
        """The page, or the address it redirects to."""
        if answer.status in REDIRECTS:
            target = answer.header("location")
            if not target:
                raise GetError("redirects", "a redirect without an address")
            return normal(urljoin(answer.url, target))
        if answer.status != 200:
            raise GetError("http_status", str(answer.status))
        mime = answer.header("content-type").split(";")[0].strip().lower()
        if mime and mime not in self.rules.types:
            raise GetError("media_type", mime)
        date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = answer.body(self.rules.manners.max_bytes)
        return Fetched(answer.url, date, answer.status, answer.reason, tuple(answer.headers), body)

    def _check_robots(self, url: str) -> None:
        """Raises GetError when the site's robots.txt forbids the address, or could not be read at all."""
        host, parts = self._host(url), urlsplit(url)
        with host.robots_lock:
            if parts.scheme not in host.robots:
                host.robots[parts.scheme] = robots = self._read_robots(url)
                if isinstance(robots, Robots) and robots.delay_s is not None:
                    host.delay_s = max(self.rules.delay_s, min(robots.delay_s, self.rules.max_delay_s))
        robots = host.robots[parts.scheme]
        if isinstance(robots, GetError):
            raise robots
        target = urlunsplit(("", "", parts.path, parts.query, ""))
        if not robots.allows(target):
            raise GetError("robots", f"{parts.scheme}://{parts.netloc}/robots.txt forbids {target}"[:300])

    def _read_robots(self, url: str) -> Robots | GetError:
        """The site's rules. Source: RFC 9309, 2.3.1: none when there is no file (4xx), all forbidden when the server
        fails (5xx, no connection); deviation: 429 counts as failing, too.
        """
        here = urlunsplit((*urlsplit(url)[:2], "/robots.txt", "", ""))
        try:
            for _ in range(ROBOTS_REDIRECTS + 1):
                found = self._ask(here, 0, Outcome(here), _robots_text)
                if not isinstance(found, _Elsewhere):
                    return parse(found, AGENT)
                here = normal(urljoin(here, found.target))
            return Robots()
        except GetError as error:
            if error.rule in ("private_address", "no_host", "host_down"):
                return error
            return GetError("robots_unreachable", f"{here}: {error.found}"[:300], passing=error.passing)

    def _wait_turn(self, host: _Host) -> None:
        """Wait until the host may be asked, and take that turn."""
        with host.lock:
            begin_s = max(time.monotonic(), host.next_s)
            host.next_s = begin_s + host.delay_s
        self._sleep(begin_s - time.monotonic())

    def _pause(self, host: _Host, wait_s: float) -> None:
        """Nobody asks the host for so long."""
        with host.lock:
            host.next_s = max(host.next_s, time.monotonic() + wait_s)

    def _sleep(self, seconds: float) -> None:
        if self.stopped.wait(max(0.0, seconds)):
            raise Stopped


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    target: str


def _robots_text(answer: Answer) -> str | _Elsewhere:
    """The text of a robots.txt, "" where there is none."""
    if answer.status in REDIRECTS and answer.header("location"):
        return _Elsewhere(answer.header("location"))
    if answer.status >= 500:
        raise GetError("http_status", str(answer.status), passing=True)
    if answer.status != 200:
        return ""
    parts: list[bytes] = []
    for block in answer.blocks():
        parts.append(block)
        if sum(map(len, parts)) >= MAX_BYTES:
            break
    data, _, _ = undo(b"".join(parts), "", answer.header("content-encoding"), 100 * MAX_BYTES)
    return data.decode("utf-8", "replace")


def retry_after(value: str, now_s: float) -> float | None:
    """Seconds that a Retry-After header asks for (a number, or a date), None when it says nothing that can be read.

    >>> retry_after("7", 0.0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 10.0), retry_after("soon", 0.0)
    (7.0, 50.0, None)
    """
    if value.strip().isdigit():
        return float(value)
    try:
        return email.utils.parsedate_to_datetime(value).timestamp() - now_s
    except (TypeError, ValueError):
        return None

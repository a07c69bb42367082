"""Ask for pages one by one as a good guest: robots.txt, one request at a time per host, pauses, back-off, redirects."""

import email.utils
import string
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

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
    """What the crawler knows about one host (name and port).

    `lock`: held by who asks it, so that it has one request at a time, also where redirects of other hosts lead to it;
    `next_s`: when it may be asked again; `closed`: "" or why it is asked no more.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    robots_lock: threading.Lock = field(default_factory=threading.Lock)
    robots: dict[str, Robots | GetError] = field(default_factory=dict[str, "Robots | GetError"])
    delay_s: float = 0.0
    next_s: float = 0.0
    num_failures: int = 0
    closed: str = ""


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
        jitter = stream(self.rules.seed, f"data.fetch/{url}", index)
        attempt = 0
        while True:
            attempt += 1
            with host.lock:
                if host.closed:
                    raise GetError("host_down", host.closed, passing=True)
                self._sleep(host.next_s - time.monotonic())
                host.next_s = time.monotonic() + host.delay_s
                outcome.attempts += 1
                try:
                    found = self._answer(url, take)
                    host.num_failures = 0
                    return found
                except GetError as error:
                    if not self._goes_on(host, error, attempt, jitter.random()):
                        raise

    def _answer(self, url: str, take: Callable[[Answer], Taken]) -> Taken:
        """What `take` makes of the answer to one request. Raises GetError."""
        try:
            with opened(url, self.rules.manners) as answer:
                if answer.status not in PASSING:
                    return take(answer)
                error = GetError("http_status", str(answer.status), passing=True)
                error.wait_s = retry_after(answer.header("retry-after"), time.time())
                if error.wait_s is not None:
                    error.found += f" (Retry-After {error.wait_s:.0f} s)"
                raise error
        except (ValueError, OverflowError) as error:  # a stranger wrote it: an address or a number that is none
            raise GetError("bad_answer", f"{type(error).__name__}: {error}"[:200]) from None

    def _goes_on(self, host: _Host, error: GetError, attempt: int, jitter: float) -> bool:
        """Whether to ask again after a failure; notes what it means for the host. `jitter`: in [0, 1)."""
        rules, asked_s = self.rules, error.wait_s or 0.0
        if not error.passing:
            host.num_failures = 0
        elif asked_s > rules.max_wait_s:
            host.closed = f"it asks for a pause of {asked_s:.0f} s"
        elif attempt == rules.attempts:
            host.num_failures += 1
            if host.num_failures >= HOST_FAILURES:
                host.closed = f"{host.num_failures} failures in a row"
        else:
            wait_s = min(rules.max_wait_s, rules.backoff_s * 2 ** (attempt - 1) * (0.5 + jitter))
            host.next_s = max(host.next_s, time.monotonic() + max(wait_s, asked_s))
            return True
        return False

    def _page(self, answer: Answer) -> Fetched | str:
        """The page, or the address it redirects to."""
        if answer.status in REDIRECTS:
            if not answer.header("location"):
                raise GetError("redirects", "a redirect without an address")
            return _target(answer)
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
            raise GetError(robots.rule, robots.found, robots.passing)  # one raised again would grow its traceback
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
                here = found.target
            return Robots()
        except GetError as error:
            if error.rule in ("private_address", "no_host", "host_down"):
                return error
            return GetError("robots_unreachable", f"{here}: {error.found}"[:300], passing=error.passing)

    def _sleep(self, seconds: float) -> None:
        if self.stopped.wait(max(0.0, seconds)):
            raise Stopped


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    target: str


def _target(answer: Answer) -> str:
    """The (normal) address that a redirect leads to. Raises ValueError or GetError for what is none.

    Many servers send raw UTF-8, which http.client reads as Latin-1; other bytes are escaped as they came.
    """
    data = answer.header("location").encode("latin-1", "replace")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = quote(data, safe=string.punctuation)
    return normal(urljoin(answer.url, text))


def _robots_text(answer: Answer) -> str | _Elsewhere:
    """The text of a robots.txt, "" where there is none."""
    if answer.status in REDIRECTS and answer.header("location"):
        return _Elsewhere(_target(answer))
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
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now_s)
    except (TypeError, ValueError, OverflowError):
        return None

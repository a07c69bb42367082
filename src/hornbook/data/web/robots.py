"""robots.txt: what a site asks crawlers not to fetch, and how long to wait between requests."""

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

from hornbook.data.web.addresses import unescaped

MAX_BYTES = 500 * 1024
TOKEN = re.compile(r"[A-Za-z_-]+")


@dataclass(frozen=True)
class Robots:
    """The rules that one crawler has to follow on one site.

    `rules`: (allow, pattern) in the file's order; `delay_s`: its Crawl-delay, None without one.

    Source: RFC 9309: the longest pattern that matches decides (an allow wins a tie), `*` stands for anything, `$` for
    the end, escapes are compared as the characters they stand for. Crawl-delay is no part of it but widely used.
    """

    rules: tuple[tuple[bool, str], ...] = ()
    delay_s: float | None = None

    def allows(self, target: str) -> bool:
        """Whether a path with its query may be fetched.

        >>> robots = parse("User-agent: *\\nDisallow: /a\\nAllow: /a/*.html$", "hornbook")
        >>> robots.allows("/a/b.html"), robots.allows("/a/b.html?x"), robots.allows("/b")
        (True, False, True)
        """
        target = _normal(target) or "/"
        if target == "/robots.txt":
            return True
        found = [(len(pattern), allow) for allow, pattern in self._patterns if _matches(pattern, target)]
        return max(found)[1] if found else True

    @cached_property
    def _patterns(self) -> list[tuple[bool, str]]:
        return [(allow, _normal(pattern)) for allow, pattern in self.rules]


def parse(text: str, agent: str) -> Robots:
    """The rules for the crawler whose product token is `agent` (letters, `-` and `_`; upper and lower case alike).

    All groups that name it count together; without one, all groups for `*`. Only the first 500 KiB are read.
    """
    own, everyone = _Group(), _Group()
    current: set[_Group] = set()  # a group may be named thousands of times
    naming = False
    for line in text[:MAX_BYTES].removeprefix("\ufeff").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "user-agent":
            current = current if naming else set()
            naming = True
            token = TOKEN.match(value)
            if value.startswith("*"):
                current.add(everyone)
            elif token is not None and token[0].lower() == agent.lower():
                current.add(own)
                own.named = True
        elif name in ("allow", "disallow", "crawl-delay"):
            naming = False
            for group in current:
                group.add(name, value)
    return (own if own.named else everyone).robots()


class _Group:
    """The rules read so far for one crawler."""

    def __init__(self) -> None:
        self.named = False
        self.rules: list[tuple[bool, str]] = []
        self.delay_s: float | None = None

    def add(self, name: str, value: str) -> None:
        if name != "crawl-delay":
            if value:
                self.rules.append((name == "allow", value))
        elif re.fullmatch(r"\d{1,9}(?:\.\d*)?", value):
            self.delay_s = float(value)

    def robots(self) -> Robots:
        return Robots(tuple(self.rules), self.delay_s)


def _matches(pattern: str, target: str) -> bool:
    """Whether a pattern matches from the beginning; linear, whatever somebody writes into the file."""
    anchored = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not target.startswith(first):
        return False
    if not rest:
        return not anchored or target == first
    position = len(first)
    for part in rest[:-1]:
        position = target.find(part, position)
        if position < 0:
            return False
        position += len(part)
    if anchored:
        return target.endswith(rest[-1]) and len(target) - len(rest[-1]) >= position
    return target.find(rest[-1], position) >= 0


def _normal(text: str) -> str:
    """A path in which equal octets are written alike: other than ASCII escaped, what needs no escape without one."""
    if not text.isascii():
        text = "".join(sign if sign.isascii() else quote(sign, errors="replace") for sign in text)
    return unescaped(text)

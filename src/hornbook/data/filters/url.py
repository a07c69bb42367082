"""Filter url: drop pages by their address, before anybody reads them."""

import re
from functools import cached_property
from urllib.parse import urlsplit

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.settings import StrictSettings

RULES = {
    "url.host": "the host or a domain above it is blocked (value: the blocked host). Source: RefinedWeb, sec. G.1",
    "url.hard_word": "a word of the address is blocked (value: the word). Source: RefinedWeb, sec. G.1, hard words",
    "url.soft_words": "two doubtful words in the address (value: both). Source: RefinedWeb, sec. G.1, soft words",
    "url.ip_address": "the host is a bare number instead of a name (value: the host)",
}

HARD_WORDS = ("porn", "porno", "pornhub", "xvideos", "xxx", "hentai", "camgirls", "milf", "sexcam")
SOFT_WORDS = (
    "sex",
    "sexy",
    "nude",
    "nudes",
    "adult",
    "casino",
    "poker",
    "betting",
    "viagra",
    "cialis",
    "escorts",
    "webcam",
)
WORD = re.compile(r"[a-z]+")
NUMBER_HOST = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[.*\]")


class Settings(StrictSettings):
    """Which addresses are refused. A document without an address is kept."""

    blocked_hosts: tuple[str, ...] = ()
    """Hosts to refuse, with everything below them (`ads.example` also refuses `www.ads.example`)."""
    hard_words: tuple[str, ...] = HARD_WORDS
    """One of these words in the address is enough."""
    soft_words: tuple[str, ...] = SOFT_WORDS
    """Two different ones of these are needed."""
    allow_ip_hosts: bool = False
    """Keep pages whose host is a bare IP address."""

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The blocked hosts for quick look-up."""
        return frozenset(host.lower().strip(".") for host in self.blocked_hosts)

    @cached_property
    def hard(self) -> frozenset[str]:
        """The hard words for quick look-up."""
        return frozenset(self.hard_words)

    @cached_property
    def soft(self) -> frozenset[str]:
        """The soft words for quick look-up."""
        return frozenset(self.soft_words)


def decide(document: Document, settings: Settings) -> Decision:
    """Keep or drop by address alone.

    Source: Penedo et al. 2023 (RefinedWeb), appendix G.1: blocked domains, one hard word, two soft words. Deviation:
    words are whole runs of letters, so that "Essex" and "expertsexchange" are innocent; the lists are ours and short.
    """
    if not document.url:
        return Keep()
    url = document.url.lower()
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        host = ""
    if settings.hosts:
        parts = host.split(".")
        for start in range(len(parts)):
            domain = ".".join(parts[start:])
            if domain in settings.hosts:
                return Drop("url.host", domain)
    if not settings.allow_ip_hosts and host and (NUMBER_HOST.fullmatch(host) or ":" in host):
        return Drop("url.ip_address", host)
    words = set(WORD.findall(url))
    if hard := words & settings.hard:
        return Drop("url.hard_word", min(hard))
    soft = sorted(words & settings.soft)
    if len(soft) >= 2:
        return Drop("url.soft_words", " ".join(soft))
    return Keep()

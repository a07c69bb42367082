"""Filter blocklist: drop pages whose addresses stand on lists: hosts, hosts files, Adblock syntax, categories."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from hornbook.core.document import Decision, Document, Drop, Keep
from hornbook.core.errors import DataError, SettingsError
from hornbook.core.settings import InputPath, StrictSettings, resolve_input
from hornbook.data.web.adblock import Address, Reading, RuleSet, parse_address, rule_set

RULES = {
    "blocklist.host": "the host or a domain above it is on a list (value: what is listed, and the list)",
    "blocklist.address": "the address is on a list, or lies below a listed one (value: what is listed, and the list)",
    "blocklist.rule": "a rule in Adblock syntax (value: the rule, and the list). Source: Adblock Plus filter syntax",
}

LIST_FILES = ("domains", "urls", "hosts")
LIST_ENDS = (".txt", ".hosts", ".list")
LOCAL_NAMES = frozenset(
    ("localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback")
)


class Settings(StrictSettings):
    """Lists of addresses to refuse. A document without an address is kept."""

    paths: tuple[InputPath, ...] = ()
    """Files, or folders of them (`domains`, `urls`, `hosts`, `*.txt`, `*.hosts`, `*.list`, also in folders by category
    as the lists of the University of Toulouse are), plain or gzipped. A file holds hosts or addresses, one a line, or
    lines of a hosts file (`0.0.0.0 ads.example`), or Adblock syntax."""
    adblock: Reading = "page"
    """Which Adblock rules count: `page`, those that a browser applies to whole pages and popups; `any`, also rules for
    addresses in general and for third parties, whose pages are then dropped too (`/banner/*` hits many good pages)."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that are never dropped here, with everything below them."""

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The allowed hosts for quick look-up."""
        return frozenset(host.lower().strip(".") for host in self.allowed_hosts)


@dataclass
class Lists:
    """What `paths` say, ready for questions."""

    hosts: dict[str, str] = field(default_factory=dict[str, str])
    """Listed host -> name of the list."""
    addresses: dict[str, str] = field(default_factory=dict[str, str])
    """Listed `host/path` -> name of the list."""
    rules: list[tuple[str, RuleSet]] = field(default_factory=list[tuple[str, RuleSet]])


def load(settings: Settings) -> Lists:
    """Read every list. Raises SettingsError without any, DataError for a file with nothing in it."""
    if not settings.paths:
        raise SettingsError(
            'the rule "blocklist" has no lists', where="data.filter", do='Give rule.blocklist.paths = ["…"]'
        )
    lists = Lists()
    for path in map(resolve_input, settings.paths):
        files = _files(path)
        if not files:
            raise DataError(
                "no list is here", where=str(path), do=f"Names: {', '.join(LIST_FILES)}, *{', *'.join(LIST_ENDS)}"
            )
        for file in files:
            name = file.relative_to(path).as_posix() if file != path else file.name
            _read(lists, file, name.removesuffix(".gz"), settings.adblock)
    return lists


def decide(document: Document, settings: Settings, lists: Lists) -> Decision:
    """Keep or drop by the address alone; the value names the entry and its list."""
    if not document.url:
        return Keep()
    address = parse_address(document.url)
    if not settings.allowed.isdisjoint(address.domains):
        return Keep()
    for domain in address.domains:
        if name := lists.hosts.get(domain):
            return Drop("blocklist.host", f"{domain} ({name})")
    if lists.addresses:
        for start in _beginnings(address):
            if name := lists.addresses.get(start):
                return Drop("blocklist.address", f"{start} ({name})")
    for name, rules in lists.rules:
        if rule := rules.blocks(address):
            return Drop("blocklist.rule", f"{rule.text} ({name})")
    return Keep()


def _beginnings(address: Address) -> Iterator[str]:
    """`host/path` whole and cut at each `/` and `?`, without scheme and `www.`: where a listed address may end."""
    rest = address.url.partition("://")[2]
    path = "/" + rest.partition("/")[2]
    host = address.host.removeprefix("www.")
    yield host + path
    for place in range(len(path) - 1, 0, -1):
        if path[place] in "/?":
            yield host + path[:place]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    names = ((file, file.name.removesuffix(".gz")) for file in sorted(path.rglob("*")) if file.is_file())
    return [file for file, name in names if name in LIST_FILES or name.endswith(LIST_ENDS)]


def _read(lists: Lists, file: Path, name: str, reading: Reading) -> None:
    try:
        data = file.read_bytes()
        text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"the list cannot be read: {error}", where=str(file)) from error
    lines = text.splitlines()
    if _is_adblock(lines):
        rules = rule_set(lines, reading)
        if not rules.num_rules:
            do = "adblock = 'any' applies more rules than those for whole pages" if reading == "page" else ""
            raise DataError("no rule of this list says anything about the address of a page", where=str(file), do=do)
        lists.rules.append((name, rules))
        return
    before = len(lists.hosts) + len(lists.addresses)
    _read_plain(lists, lines, name)
    if lines and len(lists.hosts) + len(lists.addresses) == before and not _known(lists, lines):
        raise DataError("the list has no host, no address and no rule", where=str(file), do="One entry a line")


def _known(lists: Lists, lines: Iterable[str]) -> bool:
    """Whether a list that added nothing only repeats others."""
    return any(entry in lists.hosts or entry in lists.addresses for line in lines for entry in plain_entries(line))


def _is_adblock(lines: Iterable[str]) -> bool:
    """Whether any line can only be Adblock syntax: its header, a comment with `!`, an anchor, a hidden element."""
    return any(line.startswith(("[Adblock", "!", "||", "@@", "|http", "##")) or "##." in line for line in lines)


def _read_plain(lists: Lists, lines: Iterable[str], name: str) -> None:
    for line in lines:
        for entry in plain_entries(line):
            (lists.addresses if "/" in entry else lists.hosts).setdefault(entry, name)


def plain_entries(line: str) -> list[str]:
    """The hosts and addresses of one line of a plain list or a hosts file, in the form in which they are looked up.

    >>> plain_entries("0.0.0.0 Ads.example  # bad"), plain_entries("https://www.b.example/x/")
    (['ads.example'], ['b.example/x'])
    """
    words = line.partition("#")[0].split()
    if len(words) > 1:
        if not _is_number(words[0]):
            return []
        return [
            word.lower().strip(".") for word in words[1:] if word.lower() not in LOCAL_NAMES and not _is_number(word)
        ]
    return [entry for word in words if (entry := _entry(word))]


def _entry(word: str) -> str:
    rest = word.rpartition("://")[2] if "://" in word[:12] else word
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2].lower().removeprefix("*.").strip(".")
    if host.count(":") == 1:
        host = host.partition(":")[0]
    if not host or any(c in host for c in "*|^$<>\"' ") or host in LOCAL_NAMES:
        return ""
    path = path.rstrip("/")
    return f"{host.removeprefix('www.')}/{path}" if slash and path else host


def _is_number(word: str) -> bool:
    try:
        ip_address(word.partition("%")[0])
    except ValueError:
        return False
    return True

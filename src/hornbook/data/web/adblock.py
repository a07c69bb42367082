"""Filter lists in the syntax of Adblock Plus (EasyList and its kin), applied to the addresses of pages."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal
from urllib.parse import urlsplit

Reading = Literal["page", "any"]

COSMETIC = re.compile(r"#[@?$%]*#")
OPTIONS = re.compile(r"~?[A-Za-z0-9_-]+(?:=[^,]*)?(?:,~?[A-Za-z0-9_-]+(?:=[^,]*)?)*")
HOST_ONLY = re.compile(r"\|\|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?:\^|/)\*?")
TOKEN = re.compile(r"[a-z0-9%]{2,}")
DELIMITED = re.compile(r"(?<![a-z0-9%*])[a-z0-9%]{2,}(?![a-z0-9%*])")
SEPARATOR = r"(?:[^\w%.-]|\Z)"
LABEL_START = r"[a-z][a-z0-9+.-]*://(?:[^/?#]*\.)?"
MAX_URL_CHARS = 4096

PAGE_TYPES = frozenset(("document", "doc", "all"))
POPUP_TYPES = frozenset(("popup", "popunder", "all"))
PART_TYPES = frozenset(
    "script image stylesheet css object object-subrequest xmlhttprequest xhr subdocument frame ping beacon websocket "
    "webrtc media font other background xbl dtd".split()
)
PARTY = {"third-party": True, "3p": True, "first-party": False, "1p": False}


@dataclass(frozen=True)
class Rule:
    """One rule that blocks, or excepts from blocking, addresses of pages."""

    text: str
    body: str
    """The pattern, in lower case unless `match_case`."""
    exception: bool = False
    match_case: bool = False
    important: bool = False
    as_page: bool = True
    """It applies to a page that is opened by itself; otherwise only to one that another site's page opens."""
    only_on: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()

    @cached_property
    def host(self) -> str:
        """The host, of a rule that blocks a host with all below it; else empty."""
        found = None if self.match_case else HOST_ONLY.fullmatch(self.body)
        return found[1] if found else ""

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """The pattern for `match`; None where Python's `re` cannot read it."""
        try:
            return re.compile(_translate(self.body), re.ASCII | re.DOTALL | (0 if self.match_case else re.IGNORECASE))
        except (re.error, OverflowError):
            return None

    def matches(self, address: "Address") -> bool:
        """Whether this rule says something about an address."""
        if self.only_on and not (self.as_page and any(name in self.only_on for name in address.domains)):
            return False
        if self.not_on and self.as_page and any(name in self.not_on for name in address.domains):
            return False
        if self.host:
            return self.host in address.domains
        return self.pattern is not None and self.pattern.match(address.url) is not None


@dataclass(frozen=True)
class Address:
    """A page's address, taken apart once for all rules."""

    url: str
    host: str

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The host and everything above it: a.b.example, b.example, example."""
        labels = self.host.split(".")
        return tuple(".".join(labels[start:]) for start in range(len(labels))) if self.host else ()

    @cached_property
    def tokens(self) -> frozenset[str]:
        """The runs of letters and digits, in lower case."""
        return frozenset(TOKEN.findall(self.url.lower()))


def parse_address(url: str) -> Address:
    """An address without its fragment, with a path; a host in lower case (empty where there is none)."""
    url = url.strip()[:MAX_URL_CHARS].partition("#")[0]
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").strip(".")
    except ValueError:
        return Address(url, "")
    if host and not parts.path:
        url = url.replace(parts.netloc, f"{parts.netloc}/", 1)
    return Address(url, host)


def parse_rule(line: str, reading: Reading = "page") -> Rule | None:
    """The rule of one line; None for comments, element hiding, and rules that say nothing about a page's own address.

    `page`: rules that a browser applies to a whole page: those for `document` or `all`, those that block a host and
    name no type, and those for popups opened by other sites. `any`: also rules on parts of an address that name no
    type, and rules for third parties only. Rules for scripts, pictures and other parts of pages alone never apply.

    Source: Adblock Plus, "How to write filters"; uBlock Origin, "Strict blocking" (host rules block pages). Deviations:
    rules that change requests instead of blocking them (csp, redirect, removeparam, ...) and rules with `denyallow`,
    `to` or `method` are left out; of a popup's opener nothing is known, so that `domain=` never holds for it.
    """
    line = line.strip()
    if not line or line.startswith(("!", "[Adblock", "[uBlock")) or COSMETIC.search(line):
        return None
    exception = line.startswith("@@")
    body, options = _split_options(line[2:] if exception else line)
    types: set[str] = set()
    flags: set[str] = set()
    third_party: bool | None = None
    domains: tuple[str, ...] = ()
    for option in options:
        name, _, value = option.partition("=")
        negated, name = name.startswith("~"), name.lstrip("~").lower()
        if name in PARTY:
            third_party = PARTY[name] != negated
        elif name in ("domain", "from"):
            domains = tuple(value.lower().split("|"))
        elif name in ("match-case", "important"):
            flags.add(name)
        elif name in PAGE_TYPES | POPUP_TYPES | PART_TYPES:
            (flags if negated else types).add(name)
        else:
            return None
    match_case = "match-case" in flags
    rule = Rule(
        text=line,
        body=body if match_case or _is_regex(body) else body.lower(),
        exception=exception,
        match_case=match_case,
        important="important" in flags,
        only_on=tuple(name for name in domains if name and name[0] != "~"),
        not_on=tuple(name[1:] for name in domains if name[:1] == "~"),
    )
    if not body.strip("*|^") or (_is_regex(body) and rule.pattern is None):
        return None
    return _about_pages(rule, types, flags, third_party, reading)


def _about_pages(
    rule: Rule, types: set[str], flags: set[str], third_party: bool | None, reading: Reading
) -> Rule | None:
    """The rule as one on pages or popups, None when it is on neither. `flags` holds the types that it leaves out."""
    left_out = flags & (PAGE_TYPES | POPUP_TYPES | PART_TYPES)
    untyped = not types and (reading == "any" or (bool(rule.host) and not left_out))
    page = (bool(types & PAGE_TYPES) or untyped) and not left_out & PAGE_TYPES
    if page and (reading == "any" or third_party is not True):
        return rule
    popup = bool(types & POPUP_TYPES) and third_party is not False and not rule.only_on
    return replace(rule, as_page=False) if popup else None


def _split_options(line: str) -> tuple[str, list[str]]:
    cut = line.rfind("$")
    if _is_regex(line) and cut < len(line) - 1 and not line[:cut].endswith("/"):
        return line, []
    if cut > 0 and OPTIONS.fullmatch(line, cut + 1):
        return line[:cut], line[cut + 1 :].split(",")
    return line, []


def _is_regex(body: str) -> bool:
    return len(body) > 2 and body[0] == "/" and body[-1] == "/"


def _translate(body: str) -> str:
    """A pattern for `re.match`. Parts between stars are found one after the other, each at its first place (atomic
    groups), so that a pattern takes time linear in the address; a list's own regular expression is taken as it is."""
    if _is_regex(body):
        return rf"(?s:.*?)(?:{body[1:-1]})"
    start, end = "", ""
    if body.startswith("||"):
        body, start = body[2:], LABEL_START
    elif body.startswith("|"):
        body = body[1:]
    else:
        body = f"*{body}"
    if body.endswith("|"):
        body, end = body[:-1], r"\Z"
    first, *rest = [re.escape(part).replace(r"\^", SEPARATOR) for part in re.split(r"\*+", body)]
    last = f".*{rest.pop()}{end}" if end and rest else end
    return start + first + "".join(f"(?>.*?{part})" for part in rest if part) + last


@dataclass
class RuleSet:
    """Rules in groups by a word that an address must have, so that few of them are tried."""

    blocking: "Index"
    excepting: "Index"
    num_rules: int = 0

    def blocks(self, address: Address) -> Rule | None:
        """The rule that blocks an address, unless an exception allows it."""
        found = self.blocking.first(address)
        if found is None or found.important or self.excepting.first(address) is None:
            return found
        return None


@dataclass
class Index:
    """Rules by host, by token, and the few that have neither."""

    by_host: dict[str, list[Rule]] = field(default_factory=dict[str, list[Rule]])
    by_token: dict[str, list[Rule]] = field(default_factory=dict[str, list[Rule]])
    others: list[Rule] = field(default_factory=list[Rule])

    def first(self, address: Address) -> Rule | None:
        """The first rule that matches: important ones first, then hosts, then the longest token's."""
        found = (rule for rule in self._near(address) if rule.matches(address))
        best = next(found, None)
        if best is None or best.important:
            return best
        return next((rule for rule in found if rule.important), best)

    def _near(self, address: Address) -> Iterator[Rule]:
        for name in address.domains:
            yield from self.by_host.get(name, ())
        if self.by_token:
            for token in sorted(self.by_token.keys() & address.tokens, key=lambda t: (-len(t), t)):
                yield from self.by_token[token]
        yield from self.others


def rule_set(lines: Iterable[str], reading: Reading = "page") -> RuleSet:
    """The rules of a list that say something about pages; `badfilter` takes out the rule it repeats."""
    texts = list(dict.fromkeys(line.strip() for line in lines))
    disabled = {_without_badfilter(text) for text in texts if "badfilter" in text}
    rules = [rule for text in texts if text not in disabled and (rule := parse_rule(text, reading))]
    return RuleSet(
        _index([rule for rule in rules if not rule.exception]),
        _index([rule for rule in rules if rule.exception]),
        len(rules),
    )


def _without_badfilter(text: str) -> str:
    body, _, options = text.rpartition("$")
    rest = [option for option in options.split(",") if option != "badfilter"]
    return f"{body}${','.join(rest)}" if rest else body


def _index(rules: list[Rule]) -> Index:
    """Each rule under the rarest of the tokens that every address it matches must have."""
    index = Index()
    tokens = {rule.text: _tokens(rule) for rule in rules if not rule.host}
    common = Counter(token for found in tokens.values() for token in found)
    for rule in rules:
        if rule.host:
            index.by_host.setdefault(rule.host, []).append(rule)
        elif found := tokens[rule.text]:
            rarest = min(found, key=lambda token: (common[token], -len(token), token))
            index.by_token.setdefault(rarest, []).append(rule)
        else:
            index.others.append(rule)
    return index


def _tokens(rule: Rule) -> set[str]:
    if _is_regex(rule.body):
        return set()
    body = rule.body.lower()
    # Where a pattern has no anchor, its first and last run of letters may be the inside of a longer run.
    body = body.removeprefix("|").removeprefix("|") if body.startswith("|") else f"*{body}"
    body = body.removesuffix("|") if body.endswith("|") else f"{body}*"
    return set(DELIMITED.findall(body)) - {"http", "https", "www", "com"}

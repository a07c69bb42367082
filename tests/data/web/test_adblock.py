import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.data.web.adblock import Rule, parse_address, parse_rule, rule_set


def matches(rule: str, url: str) -> bool:
    parsed = parse_rule(rule, "any")
    assert parsed is not None, rule
    return parsed.matches(parse_address(url))


@pytest.mark.parametrize(
    ("rule", "yes", "no"),
    [
        ("||ads.example^", "https://ads.example https://ads.example:8/x", "https://bads.example/ https://x.org/?ads.example"),
        ("||ads.example/pop", "https://www.ads.example/popular", "https://ads.example/x/pop https://bads.example/pop"),
        ("||ads.", "https://ads.example/ https://a.ads.example/", "https://example/ads."),
        ("|https://a.", "https://a.example/", "http://a.example/ http://b/?u=https://a."),
        ("/banner/*/img^", "https://x.org/banner/a/b/img https://x.org/banner/a/img?b", "https://x.org/banner/img https://x.org/banner/a/imgs"),
        ("swf|", "https://x.org/a.swf https://x.org/swf/swf", "https://x.org/swf/index"),
        ("|https://x.org/a|", "https://x.org/a", "https://x.org/ab https://x.org/a/"),
        ("^foo.bar^", "https://x.org/foo.bar https://foo.bar/ https://x.org:80?foo.bar&a", "https://x.org/foo.barx https://x.org/a-foo.bar"),
        ("a*b*c|", "https://x.org/aXbXc https://x.org/abcbc", "https://x.org/cba https://x.org/abcd"),
        ("Ad_Frame", "https://x.org/ad_frame https://x.org/AD_FRAME", "https://x.org/adframe"),
        ("Ad_Frame$match-case", "https://x.org/Ad_Frame", "https://x.org/ad_frame"),
        (r"/ad\d+\.html?$/", "https://x.org/ad12.htm https://x.org/ad1.html", "https://x.org/ad.html https://x.org/ad1.html?x"),
        ("pop$domain=a.example|~b.a.example", "https://a.example/pop https://c.a.example/pop", "https://b.a.example/pop https://x.org/pop"),
        ("pop$domain=~a.example", "https://x.org/pop", "https://www.a.example/pop"),
        ("x.y+z(1)", "https://a.org/x.y+z(1)", "https://a.org/xay+z(1) https://a.org/x.yyz1"),
    ],
)  # fmt: skip
def test_patterns(rule: str, yes: str, no: str) -> None:
    assert all(matches(rule, url) for url in yes.split()), rule
    assert not any(matches(rule, url) for url in no.split()), rule


@pytest.mark.parametrize(
    ("line", "page", "any_"),
    [
        ("! comment", False, False),
        ("[Adblock Plus 2.0]", False, False),
        ("example.com##.ad", False, False),
        ("example.com#@#.ad", False, False),
        ("||ads.example^", True, True),
        ("||ads.example^$document", True, True),
        ("||ads.example^$all", True, True),
        ("||ads.example^$popup", True, True),
        ("||ads.example^$popup,third-party", True, True),
        ("||ads.example^$popup,~third-party", False, False),
        ("||ads.example^$popup,domain=a.example", False, False),  # nobody knows what opened it
        ("||ads.example^$third-party", False, True),
        ("||ads.example^$~third-party", True, True),
        ("||ads.example^$script,image", False, False),
        ("||ads.example^$script,document", True, True),
        ("||ads.example^$~image", False, True),
        ("||ads.example^$~document", False, False),
        ("||ads.example^$csp=script-src 'none'", False, False),
        ("||ads.example^$removeparam=x", False, False),
        ("@@||ads.example^$generichide", False, False),
        ("/banner/*", False, True),
        ("/banner/*$popup", True, True),
        ("/[/", False, False),  # no regular expression
        ("*", False, False),
        ("", False, False),
    ],
)
def test_which_rules_are_about_pages(line: str, page: bool, any_: bool) -> None:
    assert (parse_rule(line, "page") is not None, parse_rule(line, "any") is not None) == (page, any_)


def blocked_by(lines: list[str], url: str) -> str:
    rule = rule_set(lines, "any").blocks(parse_address(url))
    return rule.text if rule else ""


def test_exceptions_important_rules_and_rules_taken_back() -> None:
    lines = ["||ads.example^", "@@||ads.example/good^"]
    assert blocked_by(lines, "https://ads.example/bad") == "||ads.example^"
    assert blocked_by(lines, "https://ads.example/good/x") == ""
    assert blocked_by([*lines, "/good/x$important"], "https://ads.example/good/x") == "/good/x$important"
    assert blocked_by([*lines, "||ads.example^$badfilter"], "https://ads.example/bad") == ""
    assert blocked_by(["/x$match-case", "/x$match-case,badfilter"], "https://a.b/x") == ""


@pytest.mark.parametrize(
    "url", ["", "x", "http://[broken", "https://", "://", "https://ÄÖ.example/ä", "//a.b/c", "a:b", "\x00"]
)
def test_odd_addresses_are_no_error(url: str) -> None:
    address = parse_address(url)
    for line in ("||a.b^", "x", "|https://", "^", "a*b|"):
        rule = parse_rule(line, "any")
        assert rule is None or rule.matches(address) in (True, False)


def slow(rule: Rule, url: str) -> bool:
    """The pattern read letter by letter: every way to place the stars is tried."""
    body = rule.body
    start = re.match(r"\|{0,2}", body)[0]  # type: ignore[index]
    end = "|" if len(body) > len(start) and body.endswith("|") else ""
    body = body[len(start) : len(body) - len(end)]
    starts = {"": range(len(url) + 1), "|": [0], "||": label_starts(url)}[start]
    return any(walk(body, url, place, bool(end)) for place in starts)


def label_starts(url: str) -> list[int]:
    begin = url.index("://") + 3
    stop = min((i for i in range(begin, len(url)) if url[i] in "/?#"), default=len(url))
    return [begin, *(i + 1 for i in range(begin, stop) if url[i] == ".")]


def walk(body: str, url: str, place: int, to_end: bool) -> bool:
    if not body:
        return place == len(url) or not to_end
    if body[0] == "*":
        return any(walk(body[1:], url, later, to_end) for later in range(place, len(url) + 1))
    if body[0] == "^" and place == len(url):
        return walk(body[1:], url, place, to_end)
    if place >= len(url):
        return False
    fits = not re.match(r"[\w%.-]", url[place]) if body[0] == "^" else url[place] == body[0]
    return fits and walk(body[1:], url, place + 1, to_end)


BODIES = st.tuples(
    st.sampled_from(["", "|", "||"]), st.text("ab.^*/", min_size=1, max_size=7), st.sampled_from(["", "", "|"])
).map("".join)
URLS = st.tuples(
    st.text("ab.", min_size=1, max_size=5).filter(lambda host: host.strip(".")), st.text("ab./?", max_size=8)
).map(lambda parts: f"a://{parts[0].strip('.')}/{parts[1]}")


@settings(max_examples=300)
@given(st.lists(BODIES, min_size=1, max_size=6), st.lists(URLS, min_size=1, max_size=6))
def test_index_and_patterns_against_trying_everything(bodies: list[str], urls: list[str]) -> None:
    rules = [rule for body in bodies if (rule := parse_rule(body, "any")) and not rule.body.startswith("/")]
    found = rule_set([rule.text for rule in rules], "any")
    for url in urls:
        address = parse_address(url)
        wanted = {
            rule.text for rule in rules if (rule.host in address.domains if rule.host else slow(rule, address.url))
        }
        rule = found.blocks(address)
        assert (rule.text in wanted) if rule else not wanted, (url, wanted, rule)


def test_many_rules_cost_microseconds() -> None:
    lines = [f"||host{i}.example^" for i in range(12_000)] + [f"/path{i}/banner" for i in range(8_000)]
    found = rule_set(lines, "any")
    assert found.num_rules == 20_000
    urls = [parse_address(f"https://a.b{i}.example/path{i}/page{i}?q={i}") for i in range(2000)]
    start = time.process_time()
    assert not any(found.blocks(url) for url in urls)
    assert (time.process_time() - start) / len(urls) < 200e-6
    assert blocked_by(lines, "https://x.host777.example/") == "||host777.example^"
    assert blocked_by(lines, "https://x.example/path7999/banner") == "/path7999/banner"


def test_hostile_patterns_and_addresses_take_linear_time() -> None:
    rule = parse_rule("a*" * 40 + "b|", "any")
    assert rule is not None
    start = time.process_time()
    assert not rule.matches(parse_address("https://x.org/" + "a" * 100_000))
    long = parse_rule("||a^*a^*a^*b", "any")
    assert long is not None and not long.matches(parse_address("https://" + "a." * 2000 + "/" + "a/" * 2000))
    assert time.process_time() - start < 2


def test_words_at_the_ends_of_a_pattern_may_be_parts_of_longer_ones() -> None:
    for rule in ("ab/cd", "/ab/cd", "ab/cd/", "*ab/cd*", "ab*cd"):
        assert blocked_by([rule], "https://x.org/xab/cdx/ab/cd/") == rule
    assert blocked_by(["ab/cd"], "https://x.org/xab/cdx") == "ab/cd"

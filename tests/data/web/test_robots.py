import time

import pytest

from hornbook.data.web.robots import Robots, parse


def allowed(text: str, target: str, agent: str = "hornbook") -> bool:
    return parse(text, agent).allows(target)


# The examples of RFC 9309, section 5, with the agents and paths of the text.
SIMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""
LONGEST = "User-Agent: foobot\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n"


@pytest.mark.parametrize(
    ("agent", "target", "expected"),
    [
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("foobot", "/", False),
        ("FooBot", "/other", False),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/other.html", True),
        ("quxbot", "/example/page.html", True),
        ("hornbook", "/example/page.html", False),
        ("hornbook", "/a/picture.gif", False),
        ("hornbook", "/a/picture.gif?x", True),
        ("hornbook", "/publications/", True),
    ],
)
def test_the_simple_example_of_the_standard(agent: str, target: str, expected: bool) -> None:
    assert allowed(SIMPLE, target, agent) is expected


def test_the_longest_match_example_of_the_standard() -> None:
    assert not allowed(LONGEST, "/example/page/disallowed.gif", "foobot")
    assert allowed(LONGEST, "/example/page/other.gif", "foobot")


@pytest.mark.parametrize(
    ("pattern", "target", "matches"),
    [
        ("/fish", "/fish.html", True),
        ("/fish", "/Fish", False),
        ("/fish*", "/fishheads/yummy", True),
        ("/fish/", "/fish", False),
        ("/*.php", "/folder/any.php.file", True),
        ("/*.php", "/folder/any.html", False),
        ("/*.php$", "/filename.php", True),
        ("/*.php$", "/filename.php?parameters", False),
        ("/fish*.php", "/fishheads/catfish.php?x", True),
        ("/*?", "/a?b", True),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/*a*a$", "/a", False),
        ("/*a*a$", "/aa", True),
        ("/ab*b$", "/ab", False),
        ("/ツ", "/%E3%83%84", True),
        ("/%E3%83%84", "/ツ", True),
        ("/%7Ejoe", "/~joe", True),
        ("/a%2fb", "/a/b", False),
        ("/a%2fb", "/a%2Fb", True),
    ],
)
def test_patterns(pattern: str, target: str, matches: bool) -> None:
    assert allowed(f"User-agent: *\nDisallow: {pattern}", target) is not matches


def test_groups_merge_and_names_are_whole_words() -> None:
    text = (
        "user-agent: Hornbook/0.1\ndisallow: /a # no\n\nUser-agent: *\nDisallow: /\n\nUSER-AGENT:hornbook\nDisallow: /b"
    )
    assert [allowed(text, target) for target in ("/a", "/b", "/c")] == [False, False, True]
    assert allowed("User-agent: book\nDisallow: /", "/a") and allowed("User-agent: hornbooks\nDisallow: /", "/a")
    assert not allowed("\ufeffUser-agent: *\n\nSitemap: https://a.example/s.xml\nDisallow: /", "/a")


def test_an_allow_wins_a_tie_and_robots_itself_may_always_be_read() -> None:
    assert allowed("User-agent: *\nDisallow: /page\nAllow: /page", "/page")
    nothing = parse("User-agent: *\nDisallow: /", "hornbook")
    assert nothing.allows("/robots.txt") and not nothing.allows("/") and not nothing.allows("")
    assert Robots().allows("/anything")


def test_crawl_delay_and_what_is_no_number() -> None:
    text = "User-agent: *\nCrawl-delay: 9\nUser-agent: hornbook\nCrawl-delay: 2.5\nDisallow: /x"
    assert parse(text, "hornbook").delay_s == 2.5 and parse(text, "other").delay_s == 9
    assert parse("User-agent: *\nCrawl-delay: soon", "hornbook").delay_s is None
    assert parse("User-agent: *\nCrawl-delay: 1e9", "hornbook").delay_s is None


def test_garbage_and_hostile_files_cost_no_time() -> None:
    begin = time.process_time()
    assert allowed("\0\xff<html>not found</html>\n:::\nDisallow /x", "/x")
    stars = "User-agent: *\nDisallow: /" + "*a" * 2000 + "b$"
    assert allowed(stars, "/" + "a" * 5000)
    assert allowed("User-agent: *\n" + "Disallow: /x\n" * 60_000, "/y")
    named = (
        "User-agent: *\n" * 17_000 + "User-agent: hornbook\n" * 2 + "".join(f"Disallow: /{i}\n" for i in range(9_000))
    )
    assert len(parse(named, "hornbook").rules) == len(parse(named, "other").rules) == 9_000
    assert time.process_time() - begin < 5

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.web.addresses import host_of, normalised

SAME = [
    "https://example.org/story/fox",
    "http://example.org/story/fox",
    "http://www.example.org/story/fox/",
    "https://EXAMPLE.org:443/story/fox#part-2",
    "http://example.org:80/story//fox/",
    "http://user:word@example.org/story/fox/index.html",
    "http://example.org/tale/../story/./fox/Index.PHP",
    "https://example.org/story/fox?utm_source=a&utm_medium=b&fbclid=c&gclid=d",
    "https://example.org/story/fox?PHPSESSID=1f&sessionid=2&sid=0123456789abcdef0123",
    "https://example.org/story/fox;jsessionid=77F",
    "https://example.org/st%6Fry/fox?",
    "  example.org/story/fox ",
    "https://example.org./story/fox",
]
ALSO_SAME = [
    "https://m.example.org/story/fox",
    "https://amp.example.org/story/fox",
    "https://www.mobile.example.org/story/fox",
    "https://example.org/story/fox/amp",
    "https://example.org/amp/story/fox/",
    "https://example.org/story/fox?amp=1",
    "https://example.org/story/fox?outputType=amp",
]
OTHERS = [
    "https://example.org/story/Fox",
    "https://example.org:8080/story/fox",
    "https://fr.example.org/story/fox",
    "https://example.org/story/fox?id=1",
    "https://example.org/story/fox?sid=3",
    "https://example.org/story%2Ffox",
    "ftp://example.org/story/fox",
    "https://example.org/#!/story/fox",
    "https://example.org/index.html/story/fox",
    "https://champ.example.org/story/fox",
]


@pytest.mark.parametrize("url", SAME)
def test_one_form_for_one_page(url: str) -> None:
    assert normalised(url) == normalised(url, mobile=False) == "example.org/story/fox"


@pytest.mark.parametrize("url", ALSO_SAME)
def test_mobile_and_amp_pages_when_asked(url: str) -> None:
    assert normalised(url) == "example.org/story/fox" != normalised(url, mobile=False)


def test_other_pages_stay_others() -> None:
    assert len({normalised(url) for url in OTHERS} | {"example.org/story/fox"}) == len(OTHERS) + 1


def test_parameters_are_sorted_and_more_can_be_left_out() -> None:
    assert normalised("http://a.org/?b=2&a=1&a=0&c=") == "a.org?a=0&a=1&b=2&c"
    assert normalised("http://a.org/?b=2&Ref=x", ignore=frozenset({"ref"})) == "a.org?b=2"


def test_percent_encoding() -> None:
    assert normalised("http://a.org/caf%c3%a9") == normalised("http://a.org/café") == "a.org/caf%C3%A9"
    assert normalised("http://a.org/a b") == normalised("http://a.org/a%20b") == "a.org/a%20b"
    assert normalised("http://bücher.example/") == "xn--bcher-kva.example"


def test_what_is_no_address() -> None:
    assert normalised("") == "" and normalised("http://") == ""
    assert normalised("http://[bad/x") == "http://[bad/x"
    assert normalised("file:///a/b.txt") == "file:///a/b.txt"


def test_hosts() -> None:
    assert host_of("http://www.a.org/x?y") == host_of("https://m.a.org") == host_of("a.org?z=1") == "a.org"
    assert host_of("") == ""


@examples(max_examples=150, deadline=None)
@given(st.text(alphabet="ab/.%?&=#:;2éE~ ", max_size=25))
def test_one_form_is_final(rest: str) -> None:
    once = normalised(f"http://www.a.org/{rest}", mobile=False)
    assert normalised(once, mobile=False) == once

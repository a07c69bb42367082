import sys
import time
from pathlib import Path

import pytest

from hornbook.data.html import count_tags, decode_html, to_text

sys.path.insert(0, str(Path(__file__).parent))
import warcs


@pytest.mark.parametrize(
    ("html", "tags", "depth"),
    [
        (b"", 0, 0),
        (b"<p>a<p>b<br>c", 3, 0),
        (b"<div><span>a</span></div><div></div>", 3, 2),
        (b"<div></x><div></x><div>", 3, 3),  # closing tags that close nothing hide no depth
        (b"<DIV><b></B></div>" * 5, 10, 2),
        (b"<!-- <div><div><div> --><script>'<div><div>'</script><style>a<b{}</style><i>", 1, 1),
        (b"<div>" * 5000 + b"</div>" * 5000, 5000, 5000),
        (b"<ul>" + b"<li>x" * 900 + b"</ul>", 901, 1),
        (b"a < b and <3", 0, 0),
    ],
)
def test_tags_and_depth(html: bytes, tags: int, depth: int) -> None:
    assert count_tags(html) == (tags, depth)


def test_counting_is_linear_on_hostile_pages() -> None:
    began_s = time.process_time()
    for html in (b"<" * 2_000_000, b"<!--" * 500_000, b"<script" * 300_000, b"<a" * 1_000_000):
        count_tags(html)
    assert time.process_time() - began_s < 10


def test_decoding_a_page() -> None:
    assert decode_html("größer".encode(), "iso-8859-1") == ("größer", "")  # valid UTF-8 wins over a wrong header
    assert decode_html("größer".encode("cp1252"), "iso-8859-1") == ("größer", "transcoded")
    meta = '<meta charset="windows-1251"><p>Жили-были старик со старухой'
    assert decode_html(meta.encode("cp1251"), "") == (meta, "transcoded")
    assert decode_html("\ufeffhé".encode(), "latin-1") == ("hé", "")
    assert decode_html("hé".encode("utf-16"), "") == ("hé", "transcoded")
    text, repair = decode_html(b"caf\xe9 " * 20, "no-such-charset")
    assert (text, repair) == ("café " * 20, "transcoded")


@pytest.mark.parametrize("profile", ["precise", "fast"])
def test_the_article_is_found_and_the_rest_is_not(profile: str) -> None:
    text = to_text(warcs.page("Oldtown"), profile)  # type: ignore[arg-type]
    for paragraph in warcs.body("Oldtown"):
        assert paragraph in text
    assert "About Oldtown" in text
    assert "Imprint" not in text and "Cookies" not in text and "<" not in text

"""Pages as HTML: the text comes back whatever the design, boilerplate does not."""

import pytest

from hornbook.core.seed import stream
from hornbook.data.html.page import to_text
from hornbook.world.facts import Settings, make_world
from hornbook.world.html import ADVERTS, FOOTERS, Sheet, broken, encode, render
from hornbook.world.texts import Author

AUTHOR = Author(make_world(Settings(), 7), 7)


@pytest.mark.parametrize("design", range(3))
@pytest.mark.parametrize("is_broken", [False, True])
def test_text_survives_every_design(design: int, is_broken: bool) -> None:
    for number, kind in enumerate(("encyclopedia", "story", "forum", "chat")):
        generator = stream(7, "t", number)
        title, paragraphs = AUTHOR.write(kind, generator)
        page = render(Sheet(title, tuple(paragraphs), ("http://source.example/1",)), design, generator)
        text = to_text(broken(page, generator) if is_broken else page, "precise")
        assert text == "\n".join([title, *(p.removeprefix("# ") for p in paragraphs)])


def test_pages_have_what_an_extractor_must_leave_out() -> None:
    for design in range(3):
        page = render(Sheet("T", ("words",)), design, stream(1, "t"))
        assert any(advert in page for advert in ADVERTS) and any(footer in page for footer in FOOTERS)
        assert "<ul" in page and "<script>" in page


def test_text_is_escaped() -> None:
    page = render(Sheet("a < b & c", ("1 < 2 & 'x'", "# head & heart")), 0, stream(1, "t"))
    assert (
        "<h1>a &lt; b &amp; c</h1>" in page and "<p>1 &lt; 2 &amp; 'x'</p>" in page and "<h2>head &amp; heart" in page
    )


def test_broken_markup_is_broken_but_not_unquoted_halfway() -> None:
    page = render(Sheet("T", ("one", "two", "three")), 1, stream(1, "t"))
    bad = broken(page, stream(2, "t"))
    assert bad.count("</p>") < page.count("</p>") and "</span>" in bad
    assert 'class="content id' not in bad and "class=content id=main" in bad


def test_encodings() -> None:
    assert encode("é", "") == ("é".encode(), "utf-8")
    assert encode("é", "utf8_as_latin1") == ("é".encode(), "iso-8859-1")
    assert encode("é č", "latin1_as_utf8") == (b"\xe9 &#269;", "utf-8")

import re

import pytest

from hornbook.data.html.classes import (
    ALL_WORDS,
    ATTRIBUTE,
    HIDDEN_BIT,
    IS_DRAWN,
    IS_GUTTER,
    IS_NUMBERS,
    MAX_KNOWN,
    NUM_WORDS,
    WORD,
    WORDS,
    WordBits,
    bits_of,
    flags_of,
    word_bits,
)


def said(word: str) -> int:
    return word_bits()[word]


def test_words_of_classes_have_bits() -> None:
    assert bits_of(' class="footer"') == bits_of(" id=footer") == said("footer") == 1 << 6
    assert bits_of(' class="nav x" id="comments"') == said("nav") | said("comments")
    assert bits_of(' style="display:none"') == bits_of(" hidden") == bits_of(" HIDDEN") == HIDDEN_BIT
    assert bits_of("") == bits_of(' title="footer"') == bits_of(' class=""') == 0
    assert bits_of(' class="article-body"') == said("article-body") == 1
    assert len(WORDS) == NUM_WORDS


PIECES = (
    "article-body storycontent content_main rich-text markdown prose mw-parser-output field-name-body"
    " node-content hentry blog poster postal nav menu breadcrumb toc table-of-contents pagination pager paging"
    " skip topbar masthead toolbar tabs comment disqus respond reply replies discussion livefyre kommentar"
    " related recommend more -more morefrom mehr popular trending most similar also up-next upnext recirc"
    " outbrain taboola latest recent carousel slider teaser card read-next next prev suggest further linklist"
    " list-item collection grid feed share sharing social facebook twitter follow whatsapp pinterest bookmark"
    " addthis foot copyright legal colophon bottom disclaimer imprint impressum license side widget rail aside"
    " secondary complement right left col-2 col2 ads ad -ad advert sponsor banner promo commercial anzeige dfp"
    " affiliate shop product price buy by-line byline author meta date time posted published tag tags categor"
    " topic keyword source info kicker credit label newsletter subscri sign-up signin log-in register paywall"
    " cookie consent gdpr modal popup overlay search cta donat alert notice tooltip caption figure image photo"
    " gallery media video img player slideshow lightbox embed picture display:none none; visibility hidden"
    " sr-only visually screen-reader noprint print-only invisible offscreen headline title heading header head"
    " summary excerpt intro lead abstract deck sub-title standfirst sub-head dek description lede bio -bio"
    " profile about vcard avatar contributor"
).split()


def test_words_are_found_as_if_looked_for_one_after_the_other() -> None:
    """The plain way: at each place the first kind that has a word there."""
    plain = re.compile("|".join(f"({'|'.join(words.split())})" for words in WORDS))
    assert plain.groups == NUM_WORDS
    around = ("{}", "x-{}", "q{}_2", "{}{}", "{}-", "-{}-", "_{}", "{}s", "{}er", "{}-{}", "{}__body", "my {} x")
    for piece in PIECES:
        for word in (shape.format(piece, piece) for shape in around):
            bits = sum({1 << (found.lastindex or 0) - 1 for found in plain.finditer(word)})
            assert said(word) & ALL_WORDS == bits, word
            assert WORD.findall(word) == [found.group() for found in plain.finditer(word)], word
    assert {m.lastindex for piece in PIECES for m in plain.finditer(piece)} == set(range(1, NUM_WORDS + 1))


@pytest.mark.parametrize(
    "attrs",
    [
        ' class="nav menu"',
        ' class="a\'b id=footer"',
        ' class="a>b id=footer"',
        ' class="' + "x " * 300 + 'footer" id="nav"',
        ' class="nav" class="footer"',
        ' class="nav x" id="comments" role="main" style="display:none"',
        ' class="nav" title="footer" id="comments"',
        ' class=""id="footer"',
        ' class="nav"id="footer"',
        " class='nav' id=\"footer\"",
        ' class="hidden"',
        ' class=""',
        ' CLASS="nav"',
        ' data-class="nav"',
        ' class="nav" hidden',
        ' class="',
        ' class="nav',
        ' class="lineno nav" id="gutter"',
        ' class="nav" id="lineno"',
        " class=lineno hidden",
    ],
)
def test_the_short_way_is_the_long_way(attrs: str) -> None:
    bits = 0
    for values, flag in ATTRIBUTE.findall(attrs):
        for word in (values or flag).split():
            bits |= said(word) & ALL_WORDS
    assert bits_of(attrs) == bits | flags_of(attrs)


@pytest.mark.parametrize(
    ("attrs", "flags"),
    [
        (' class="lineno"', IS_NUMBERS),
        (" class=js-line-number", IS_NUMBERS),
        (" class='gutter gl'", IS_GUTTER),
        (' class="no-gutter"', 0),
        (' data-x="gutter lineno"', 0),
        (' data-class="lineno"', 0),
        (' class="line-numbers-mode"', 0),
        (' class="MathJax"', IS_DRAWN),
        (' class="mjx-chtml"', IS_DRAWN),
        (' class="MathJax_SVG_Display"', IS_DRAWN),
        (' class="abstract mathjax"', 0),
        (' class="katex-html"', IS_DRAWN),
        (' id="MathJax-Element-1"', 0),
        ("", 0),
    ],
)
def test_classes_of_what_is_no_text(attrs: str, flags: int) -> None:
    assert flags_of(attrs) == flags == bits_of(attrs) & ~ALL_WORDS


def test_the_words_met_are_bounded() -> None:
    known = WordBits({str(i): 0 for i in range(MAX_KNOWN - 1)})
    assert known["footer"] == known["FOOTER"] == 1 << 6 and len(known) == 1
    assert known["x" * 81 + "footer"] == 0 and len(known) == 1

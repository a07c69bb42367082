import re

import pytest

from hornbook.data.html.classes import (
    ATTRIBUTE,
    HIDDEN_BIT,
    IS_DRAWN,
    IS_GUTTER,
    IS_NUMBERS,
    NUM_WORDS,
    WORDS,
    bits_of,
    bits_of_word,
    flags_of,
)


def test_words_of_classes_have_bits() -> None:
    assert bits_of(' class="footer"') == bits_of(" id=footer") == bits_of_word("footer") == 1 << 6
    assert bits_of(' class="nav x" id="comments"') == bits_of_word("nav") | bits_of_word("comments")
    assert bits_of(' style="display:none"') == bits_of(" hidden") == bits_of(" HIDDEN") == HIDDEN_BIT
    assert bits_of("") == bits_of(' title="footer"') == bits_of(' class=""') == 0
    assert bits_of(' class="article-body"') == bits_of_word("article-body") == 1
    assert len(WORDS) == NUM_WORDS and all(re.compile(words).groups == 1 for words in WORDS)


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
    ],
)
def test_the_short_way_is_the_long_way(attrs: str) -> None:
    bits = 0
    for values, flag in ATTRIBUTE.findall(attrs):
        for word in (values or flag).split():
            bits |= bits_of_word(word)
    assert bits_of(attrs) == bits


@pytest.mark.parametrize(
    ("attrs", "flags"),
    [
        (' class="lineno"', IS_NUMBERS),
        (" class=js-line-number", IS_NUMBERS),
        (" class='gutter gl'", IS_GUTTER),
        (' class="no-gutter"', 0),
        (' data-x="gutter lineno"', 0),
        (' class="line-numbers-mode"', 0),
        (' class="MathJax"', IS_DRAWN),
        (' class="MathJax_SVG_Display"', IS_DRAWN),
        (' class="abstract mathjax"', 0),
        (' class="katex-html"', IS_DRAWN),
        (' id="MathJax-Element-1"', 0),
        ("", 0),
    ],
)
def test_classes_of_what_is_no_text(attrs: str, flags: int) -> None:
    assert flags_of(attrs) == flags

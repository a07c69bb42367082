import time

import pytest

from hornbook.data.html.blocks import NUM_BITS, Blocks, read_blocks
from hornbook.data.html.classes import word_bits

HOSTILE = {
    "open brackets": "<" * 300_000,
    "comments": "<!--" * 100_000,
    "scripts": "<script" * 60_000,
    "quotes": '<a x="' * 60_000,
    "deep": "<div>x" * 15_000,
    "tables": "<table><tr><td>" * 8_000,
    "items": "<ul><li>x" * 8_000,
    "unclosed and skipped": "<nav>x<select>y<button>" * 6_000,
    "breaks": "<br> " * 50_000,
    "closing": "</div>" * 60_000,
    "one attribute": '<p class="' + "ad " * 60_000 + '">x',
    "hidden": '<table><tr><td class="gutter">' * 8_000,
    "entities": "&" * 200_000 + "&lt;" * 50_000,
}


def texts(page: Blocks) -> list[tuple[str, str]]:
    return [(page.names[element], text) for element, text in zip(page.element_of, page.texts, strict=True)]


def test_a_page_becomes_blocks() -> None:
    page = read_blocks(
        "<html><head><title>A &amp; B</title><style>p{}</style></head><body><nav><a href=/>Home</a></nav>"
        "<h1>Head</h1><p>One <b>two</b>\n three&nbsp;&lt;4<p>Next<!-- no --> one<script>var p = '<p>';</script> goes on"
        "<div>in <span>line</span><br>second<br> <br>third</div></body></html>"
    )
    assert page.title == "A & B"
    assert texts(page) == [
        ("h1", "Head"),
        ("p", "One two three <4"),
        ("p", "Next one goes on"),
        ("div", "in line\nsecond"),
        ("div", "third"),
    ]


def test_links_and_bold_are_counted() -> None:
    page = read_blocks('<p>See <a href="x">this page</a> and <b>that</b> <a name="y">anchor</a></p>')
    assert (page.link_chars[0], page.num_links[0], page.bold_chars[0]) == (9, 1, 4)
    shouted = read_blocks('<P>See <A HREF="x">this page</A> and <B>that</B> <A NAME="y">anchor</A></P>')
    assert (shouted.link_chars[0], shouted.num_links[0], shouted.bold_chars[0]) == (9, 1, 4)
    assert texts(shouted) == texts(page) == [("p", "See this page and that anchor")]


def test_elements_end_where_a_browser_ends_them() -> None:
    page = read_blocks("<ul><li>a<li>b<ul><li>c</ul><li>d</ul><table><tr><td>1<td>2<tr><td>3</table>end")
    assert texts(page) == [
        ("li", "a"),
        ("li", "b"),
        ("li", "c"),
        ("li", "d"),
        *(("td", n) for n in "123"),
        ("body", "end"),
    ]
    around = [page.parents[element] for element in page.element_of]
    items = around[:4]
    assert items[0] == items[1] == items[3] != items[2]
    rows = around[4:7]
    assert rows[0] == rows[1] != rows[2]


def test_a_stray_end_tag_in_a_cell_does_not_end_the_page() -> None:
    page = read_blocks("<div><table><tr><td>x</div>y</td></tr></table>z</div>after")
    assert texts(page) == [("td", "x"), ("td", "y"), ("div", "z"), ("body", "after")]


def test_code_stays_as_it_is() -> None:
    page = read_blocks("<pre><code class=language-c>int x;\n\n    if (a &lt; b)\n\treturn;</code></pre><p>a  b")
    assert texts(page) == [("pre", "int x;\n\n    if (a < b)\n\treturn;"), ("p", "a b")]
    assert "language-c" in page.codes[page.element_of[0]]
    numbered = read_blocks('<pre><span class="lineno">1 </span>a\n<span class="lineno">2 </span>  b</pre>')
    assert texts(numbered) == [("pre", "a\n  b")]
    indented = read_blocks("<pre>    <span>a</span>\n  b</pre>")
    assert texts(indented) == [("pre", "    a\n  b")]
    lines = read_blocks("<pre><div>a</div><div>  b</div></pre>")
    assert lines.texts[0].rstrip() == "a\n  b"


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<select><option>one<p>text", ["one", "text"]),
        ("<nav>menu</nav><p>text", ["text"]),
        ("<nav>menu</nav><p>a<nav>menu<p>text", ["menu", "a", "menu", "text"]),
        ('<table><tr><td class="lineno">1<td>x</table><p>rest', ["1", "x", "rest"]),
        ('<p>a</p><hr class="lineno"><p>rest', ["a", "rest"]),
        ('<p>a</p><hr class="lineno">b</hr><p>rest', ["a", "b", "rest"]),
        ('<p><span class="katex-html">x<p>rest', ["x", "rest"]),
        ('<p>a<br class="MathJax">b<wbr class="MathJax"><p>rest', ["a\nb", "rest"]),
    ],
)
def test_an_element_without_an_end_hides_nothing(html: str, found: list[str]) -> None:
    assert read_blocks(html).texts == found


def test_many_elements_without_an_end_are_read_in_linear_time() -> None:
    page = "".join(f'<x{i} class="MathJax">t{i}' for i in range(200))
    assert len(read_blocks(page).texts) == 200


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (
            '<blockquote class="abstract mathjax">An abstract.</blockquote>Disable MathJax',
            ["An abstract.", "Disable MathJax"],
        ),
        ('<div class="row no-gutter"><p>text</p></div>', ["text"]),
        ('<div class="row" data-masonry=\'{"gutter": 20}\'><p>text</p></div>', ["text"]),
        ('<div class="gutter"><p>text</p></div>', ["text"]),
        ('<table class="layout"><tr><td class="gutter">7</td><td>x</td></table>', ["7", "x"]),
        (
            '<p>a <mjx-container class="MathJax"><mjx-assistive-mml>$x$</mjx-assistive-mml></mjx-container> b',
            ["a $x$ b"],
        ),
        ('<pre class="line-numbers"><code class="line-numbers">x = 1\n</code></pre>MathJax', ["x = 1\n", "MathJax"]),
        ('<td data-line-number="3">x = 1</td>', ["x = 1"]),
        ('<h2>Head<span class="mw-editsection">[edit]</span></h2>', ["Head"]),
        ('<table><tr><td class="blob-num js-line-number">7</td><td class="blob-code">x</td></table>', ["x"]),
        ('<div class="highlight"><table><tr><td class="gutter">7</td><td>x</td></table></div>', ["x"]),
        ("<pre><span class='gutter'>7 </span>x</pre>", ["x"]),
        ('<div class="MathJax_Display"><span class="MathJax">x2</span></div><p>ok', ["ok"]),
    ],
)
def test_what_is_hidden_is_named_by_a_class_of_its_own(html: str, found: list[str]) -> None:
    assert read_blocks(html).texts == found


def test_what_is_shown_after_all_has_the_bits_of_its_words_only() -> None:
    page = read_blocks('<div class="gutter nav">x</div>')
    assert page.texts == ["x"] and page.own_bits[1] == page.bits[1] == word_bits()["nav"] < 1 << NUM_BITS


def test_marks_change_no_number_and_no_block() -> None:
    html = (
        "<h1>A <i>b</i></h1><p><b></b></p><p><b>W</b>ord <b> two </b>, <code>x</code>"
        "<br><b></b><br>three<br><i>four</i></p>"
        '<ul><li><a href="x"><b>T</b></a> &amp; <em>u</em>.'
        "<pre>a <b>b</b>\n  c</pre><pre>a\n<b></b><div>b</div></pre><p>\n<b>\n</b>\nend</p></ul>"
    )
    plain, marked = read_blocks(html), read_blocks(html, markup=True)
    assert marked.texts == plain.texts and plain.marked is plain.texts
    assert plain.texts == ["A b", "Word two , x", "three\nfour", "T & u.", "a b\n  c", "a\nb\n", "end"]
    for column in ("element_of", "link_chars", "num_links", "bold_chars", "begins", "ends", "bits", "names"):
        assert getattr(marked, column) == getattr(plain, column), column
    assert marked.marked[0] == "A \x05b\x06" and marked.marked[1].startswith("\x03W\x04ord")


def test_formulas_are_read_once() -> None:
    katex = '<p><span class="katex">$x$<span class="katex-html"><span>x</span></span></span> ok</p>'
    assert texts(read_blocks(katex)) == [("p", "$x$ ok")]
    mathjax = '<p><span class="MathJax"><span>x2</span></span><script type="math/tex">x^2 &lt; 3</script> ok</p>'
    assert texts(read_blocks(mathjax)) == [("p", "$x^2 &lt; 3$ ok")]
    picture = '<p><img class="tex" alt="\\alpha"> and <img class="photo" alt="A cat"></p>'
    assert texts(read_blocks(picture)) == [("p", "$\\alpha$ and")]


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_linear(name: str) -> None:
    began_s = time.process_time()
    page = read_blocks(HOSTILE[name])
    assert time.process_time() - began_s < 4
    assert len(page.ends) == len(page.names) == len(page.attrs)
    assert all(end >= begin for begin, end in zip(page.begins, page.ends, strict=True))

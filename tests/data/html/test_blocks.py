import time

import pytest

from hornbook.data.html.blocks import Blocks, read_blocks

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
    "entities": "&" * 200_000 + "&lt;" * 50_000,
}


def texts(page: Blocks) -> list[tuple[str, str]]:
    return [(page.elements[block.element].name, block.text) for block in page.blocks]


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
    block = read_blocks('<p>See <a href="x">this page</a> and <b>that</b> <a name="y">anchor</a></p>').blocks[0]
    assert (block.link_chars, block.num_links, block.bold_chars) == (9, 1, 4)


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
    items = [page.elements[block.element].parent for block in page.blocks[:4]]
    assert items[0] == items[1] == items[3] != items[2]
    rows = [page.elements[block.element].parent for block in page.blocks[4:7]]
    assert rows[0] == rows[1] != rows[2]


def test_a_stray_end_tag_in_a_cell_does_not_end_the_page() -> None:
    page = read_blocks("<div><table><tr><td>x</div>y</td></tr></table>z</div>after")
    assert texts(page) == [("td", "x"), ("td", "y"), ("div", "z"), ("body", "after")]


def test_code_stays_as_it_is() -> None:
    page = read_blocks("<pre><code class=language-c>int x;\n\n    if (a &lt; b)\n\treturn;</code></pre><p>a  b")
    assert texts(page) == [("pre", "int x;\n\n    if (a < b)\n\treturn;"), ("p", "a b")]
    assert "language-c" in page.codes[page.blocks[0].element]
    numbered = read_blocks('<pre><span class="lineno">1 </span>a\n<span class="lineno">2 </span>  b</pre>')
    assert texts(numbered) == [("pre", "a\n  b")]
    indented = read_blocks("<pre>    <span>a</span>\n  b</pre>")
    assert texts(indented) == [("pre", "    a\n  b")]
    lines = read_blocks("<pre><div>a</div><div>  b</div></pre>")
    assert lines.blocks[0].text.rstrip() == "a\n  b"


def test_an_element_without_an_end_hides_nothing() -> None:
    assert texts(read_blocks("<select><option>one<p>text")) != []
    assert texts(read_blocks("<nav>menu</nav><p>text")) == [("p", "text")]


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
    assert len(page.ends) == len(page.elements) and all(
        end >= e.begin for end, e in zip(page.ends, page.elements, strict=True)
    )

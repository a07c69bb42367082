import pytest

from hornbook.data.html.blocks import read_blocks
from hornbook.data.html.text import render


def text(html: str, markdown: bool = False) -> str:
    page = read_blocks(html, markup=markdown)
    return render(page, list(range(len(page.blocks))), markdown)


@pytest.mark.parametrize(
    ("html", "plain", "markdown"),
    [
        ("<h2>Head</h2><p>One</p><p>Two</p>", "Head\nOne\nTwo", "## Head\n\nOne\n\nTwo"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c", "- a\n- b\n  - c"),
        ("<ol start=3><li>x<li><p>y</p><p>z</p></ol>", "3. x\n4. y\nz", "3. x\n4. y\n  z"),
        (
            "<table><tr><th>A<th>B<tr><td>1<td>2|3<tr><td>4</table>",
            "A | B\n1 | 2|3\n4",
            "| A | B |\n| --- | --- |\n| 1 | 2\\|3 |\n| 4 |  |",
        ),
        ("<table><tr><td><table><tr><td>in</table><p>out</table>", "in\nout", "in\n\nout"),
        (
            '<pre class="lang-py">if a:\n\n    b</pre>',
            "if a:\n\n    b",
            "```py\nif a:\n\n    b\n```",
        ),
        (
            "<ul><li>do<pre>a\n  b</pre></li></ul>",
            "- do\na\n  b",
            "- do\n  ```\n  a\n    b\n  ```",
        ),
        ("<p>a <b>b</b> <i>c</i> <code>d*e</code></p>", "a b c d*e", "a **b** *c* `d*e`"),
        ("<blockquote><p>q</p></blockquote>", "q", "> q"),
        ("<table><tr><td><pre>1\n2\n3</pre><td><pre>a\n b\nc</pre></table>", "a\n b\nc", "```\na\n b\nc\n```"),
    ],
)
def test_structure(html: str, plain: str, markdown: str) -> None:
    assert text(html) == plain
    assert text(html, markdown=True) == markdown


def test_a_fence_is_longer_than_those_in_the_code() -> None:
    assert text("<pre>```\nx\n```</pre>", markdown=True) == "````\n```\nx\n```\n````"


def test_only_chosen_blocks_are_written() -> None:
    page = read_blocks("<p>a<p>b<p>c")
    assert render(page, [0, 2]) == "a\nc" and render(page, []) == ""

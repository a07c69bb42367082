import pytest

from hornbook.data.html.blocks import read_blocks
from hornbook.data.html.text import render


def text(html: str, markdown: bool = False) -> str:
    page = read_blocks(html, markup=markdown)
    return render(page, list(range(len(page.texts))), markdown)


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
        (
            "<table><tr><td></td><th>A<th>B<tr><td>x<td></td><td>2<tr><td>y<td>1<td> </table>",
            " | A | B\nx |  | 2\ny | 1",
            "|  | A | B |\n| --- | --- | --- |\n| x |  | 2 |\n| y | 1 |  |",
        ),
        (
            "<table><tr><td>a<td></td><td>b<tr><td>c<td><img></td><td>d<tr><td></td><td></td><td>e</table>",
            "a | b\nc | d\ne",
            "| a | b |\n| --- | --- |\n| c | d |\n|  | e |",
        ),
        (
            "<table><tr><td>a<td>b<tr><form><td>c<td>d</form></table>",
            "a | b\nc | d",
            "| a | b |\n| --- | --- |\n| c | d |",
        ),
        ("<ul><li>a<ul><li>b</ul>c<li>d</ul>", "- a\n  - b\nc\n- d", "- a\n  - b\n  c\n- d"),
        ("<ol><li>a<ul><li>b</ul>c<li>d</ol>", "1. a\n  - b\nc\n2. d", "1. a\n  - b\n  c\n2. d"),
        ("<ul><li><h3>T<br>U</h3><p>x</li></ul>", "- T\nU\nx", "- ### T U\n  x"),
        (
            "<ul><li><pre>a\n\n  b</pre>c</li></ul>",
            "- a\n\n  b\nc",
            "- ```\n  a\n\n    b\n  ```\n  c",
        ),
        ("<p>a <b>b</b> <i>c</i> <code>d*e</code></p>", "a b c d*e", "a **b** *c* `d*e`"),
        ("<p><b>a<br></b><a>x</a><br><b>b<br>c</b><br><i></i><br>", "a\nx\nb\nc", "**a**\nx\nb\nc"),
        ("<blockquote><p>q</p></blockquote>", "q", "> q"),
        ("<table><tr><td><pre>1\n2\n3</pre><td><pre>a\n b\nc</pre></table>", "a\n b\nc", "```\na\n b\nc\n```"),
    ],
)
def test_structure(html: str, plain: str, markdown: str) -> None:
    assert text(html) == plain
    assert text(html, markdown=True) == markdown


def test_a_fence_is_longer_than_those_in_the_code() -> None:
    assert text("<pre>```\nx\n```</pre>", markdown=True) == "````\n```\nx\n```\n````"


def test_a_million_backticks_are_fenced_at_once() -> None:
    code = "`" * 1_000_000
    assert text(f"<pre>{code}</pre>", markdown=True) == f"{code}`\n{code}\n{code}`"


def test_a_table_in_two_pieces_around_another_one() -> None:
    html = "<table><tr><td>a<td>b</tr><tr><td><table><tr><td><pre>x</pre></table></td></tr><caption>c</caption></table>"
    assert text(html) == "a | b\nx\nc"


def test_only_chosen_blocks_are_written() -> None:
    page = read_blocks("<p>a<p>b<p>c")
    assert render(page, [0, 2]) == "a\nc" and render(page, []) == ""

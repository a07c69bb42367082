import time

import pytest

from hornbook.data.html.tags import count_tags, cut_at_tags, depth_of, visible


@pytest.mark.parametrize(
    ("page", "tags", "depth"),
    [
        ("", 0, 0),
        ("<p>a<p>b<br>c", 3, 0),
        ("<div><span>a</span></div><div></div>", 3, 2),
        ("<div></x><div></x><div>", 3, 3),  # closing tags that close nothing hide no depth
        ("<DIV><b></B></div>" * 5, 10, 2),
        ("<!-- <div><div><div> --><script>'<div><div>'</script><style>a<b{}</style><i>", 1, 1),
        ("<div>" * 5000 + "</div>" * 5000, 5000, 5000),
        ("<ul>" + "<li>x" * 900 + "</ul>", 901, 1),
        ("a < b and <3", 0, 0),
        ("<!doctype html><?xml ?></ x><p>", 1, 0),
        ("<p><BR>" * 9 + "<li>" * 9, 27, 0),
        ("x</p>" * 70, 70, 0),  # each ends a text
    ],
)
def test_tags_and_depth(page: str, tags: int, depth: int) -> None:
    names = cut_at_tags(page).names
    num_tags, num_nesting = count_tags(names)
    assert (num_tags, depth_of(names)) == (tags, depth) and num_nesting >= depth


def test_counting_is_linear_on_hostile_pages() -> None:
    began_s = time.process_time()
    for page in ("<" * 2_000_000, "<!--" * 500_000, "<script" * 300_000, "<a" * 1_000_000):
        depth_of(cut_at_tags(page).names)
    assert time.process_time() - began_s < 10


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("a<!-- b -->c<!-->d<!--->e<!-- f", "acde"),
        ("a<script>b</script>c<STYLE>d</Style>e", "ace"),
        ('a<svg class="i"/>b<svg><path/></svg>c', "ab c"),
        ("a<script src=x/>b</script>c", "ac"),
        ("a<title/>b</title>c", "ac"),
        (
            "<!DOCTYPE html PUBLIC 'XHTML'>a<script src='x'/>b<iframe />c<textarea/>d<title/>e",
            "<!DOCTYPE html PUBLIC 'XHTML'>abcde",
        ),
        (
            "<!DOCTYPE html PUBLIC 'XHTML'>a<script src=http://x/>b</script>c",
            "<!DOCTYPE html PUBLIC 'XHTML'>ac",
        ),
        ("a<textarea>b</textarea>c<scripts>d", "a c<scripts>d"),
        ("a<script>b", "a"),
    ],
)
def test_what_is_no_part_of_a_page(page: str, left: str) -> None:
    assert visible(page)[0] == left


def test_the_first_title_is_the_title() -> None:
    assert cut_at_tags("<TITLE>A &amp;\n B</TITLE><title>C</title>").title == "A & B"
    assert cut_at_tags("<title>&#" + "9" * 5000 + ";</title>").title == "\ufffd"


def test_formulas_in_scripts_are_text() -> None:
    tags = cut_at_tags('<script type="math/tex; mode=display">x < y</script>')
    assert tags.tokens == ["$$x &lt; y$$"]

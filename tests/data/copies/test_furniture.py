import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.copies import furniture
from hornbook.data.copies.furniture import (
    EDGE_LINES,
    LONG,
    edge_keys,
    edges,
    is_part,
    is_prose,
    line_key,
    protected_keys,
    zones,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Home | About", "HOME  |  about"),
        ("© 2019 Story Corner", "(c) 2024 – Story Corner".replace("(c) ", "")),
        ("Posted on March 3rd, 2021 at 7:05 pm", "posted on 12 Sept 2019 at 11:40 am".replace("12 Sept", "Sept 12")),
        ("17 comments", "4 comments"),
        ("Wednesday, 1 May 2024 edition", "Sunday, 30 June 2022 edition"),
    ],
)
def test_lines_that_say_the_same(a: str, b: str) -> None:
    assert line_key(a) == line_key(b) != ""


def test_lines_that_do_not() -> None:
    assert line_key("May I come in?") != line_key("June, come in?")  # months count where no number stands
    assert line_key("The fox") != line_key("The fix")
    assert line_key("* * *") == line_key("") == line_key("- 12 -") == line_key("12 May 2024") == ""


def test_what_reads_like_prose() -> None:
    assert is_prose("The fox ran away.") and is_prose("“Who is there?”  ") and is_prose("Good night!")
    assert not is_prose("Home") and not is_prose("All rights reserved.") and not is_prose("Read more...")
    assert not is_prose("© Anna.") and not is_prose("Subscribe to our newsletter!")


def test_parts_and_formulas() -> None:
    assert all(is_part(line_key(line)) for line in ("Chapter 12", "CHAPTER IV.", "Part 2", "iii", "Story number 7"))
    assert not is_part(line_key("Chapters")) and not is_part(line_key("Home"))
    assert line_key("THE END.") in protected_keys(["The end"])


def test_the_keys_of_the_edges() -> None:
    keys = [f"k{n}" for n in range(200)]
    assert edges(keys) == keys[:EDGE_LINES] + keys[-EDGE_LINES:]
    assert edges(["a", "", "b", "a"]) == ["a", "b"]


LINES = st.lists(st.sampled_from(["home", "about", "hi", "", "* *", "text", "more"]), max_size=24)


@examples(max_examples=300, deadline=None)
@given(LINES, st.integers(0, 9), st.sampled_from([set[str](), {"hi"}]))
def test_keys_of_the_edges_are_enough(lines: list[str], own_lines: int, prose: set[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(furniture, "EDGE_LINES", 3)
        near, every = edge_keys(lines, 9), [line_key(line) for line in lines]
        assert edges(near) == edges(every)
        cut = {"home", "about", "hi"}
        assert zones(near, cut, prose, own_lines) == zones(every, cut, prose, own_lines)


def test_keys_of_long_lines_and_of_the_middle_are_not_made() -> None:
    lines = [f"{a}{b}" for a in "bcdfghjklm" for b in "npqrstvwxyaeioubcdfg"]
    found = edge_keys([*lines, "far too long"], 9)
    assert found[:41] == lines[:41] and found[160:200] == lines[160:]
    assert set(found[41:160]) == {LONG} == {found[200]}


def zone(keys: list[str], own_lines: int, prose: str = "") -> set[int]:
    return zones(keys, {"home", "about", "foot", "hi", "end"}, set(prose.split()), own_lines)


def test_zones_end_at_the_text() -> None:
    assert zone(["home", "title", "about", "x", "y", "z", "about", "u", "v", "w", "foot"], 1) == {0, 2, 10}
    assert zone(["a", "home", "b"], 0) == set()
    assert zone(["home", "about"], 0) == {0, 1}
    assert zone(["home", "", "about", "", "a", ""], 0) == {0, 1, 2}
    assert zone(["", "home", "", "a", "", "foot", ""], 0) == {0, 1, 5, 6}
    assert zone([], 3) == zone(["a", ""], 3) == set()


def test_prose_that_touches_the_text_stays() -> None:
    page = ["hi", "home", "about", "hi", "a", "b", "c", "d", "end", "foot", "end"]
    assert zone(page, 2, "hi end") == {0, 1, 2, 9, 10}
    assert zone(page, 2) == {0, 1, 2, 3, 8, 9, 10}
    # a page of prose that every page has is not eaten from its ends, whatever stands at the other end
    assert zone(["home", *["hi"] * 5, "foot"], 3, "hi") == {0, 6}

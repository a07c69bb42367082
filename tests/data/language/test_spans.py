from hypothesis import given
from hypothesis import strategies as st

from hornbook.data.language.spans import cut_around, replace_spans


def test_replacing() -> None:
    assert replace_spans("abcdef", [(0, 1, "X"), (1, 3, ""), (5, 6, "YY")]) == "XdeYY"
    assert replace_spans("abc", []) == "abc"


def test_lines_and_paragraphs() -> None:
    text = "one\ntwo\n\nthree\nfour\n\n\nfive"
    at = text.index
    assert cut_around(text, [(at("two"), at("two") + 1)], "line") == ("one\n\nthree\nfour\n\n\nfive", 1)
    assert cut_around(text, [(at("three"), at("three") + 5)], "paragraph") == ("one\ntwo\n\nfive", 1)
    assert cut_around(text, [(at("five"), len(text))], "line") == ("one\ntwo\n\nthree\nfour", 1)
    assert cut_around(text, [(0, 1), (1, 2), (at("four"), at("five") + 1)], "paragraph") == ("", 3)
    assert cut_around(text, [], "line") == (text, 0)


@given(st.lists(st.text("ab \n", max_size=6), max_size=12), st.data())
def test_what_is_left_is_the_lines_without_spans(lines: list[str], data: st.DataObject) -> None:
    text = "".join(lines)
    places = sorted(data.draw(st.sets(st.integers(0, max(0, len(text) - 1)), max_size=4))) if text else []
    result, number = cut_around(text, [(p, p + 1) for p in places], "line")
    bad = {text.count("\n", 0, p) for p in places}
    wanted = "\n".join(line for i, line in enumerate(text.split("\n")) if i not in bad)
    assert number == len(bad)
    assert result.rstrip("\n") == wanted.rstrip("\n")

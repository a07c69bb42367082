import pytest

from hornbook.core.document import Document, Drop, Edit, Keep
from hornbook.data.filters.refinedweb import Settings, decide

PROSE = "the old keeper counted every boat before he lit the lamp"  # 11 words
LINES = [f"{PROSE} {i} times" for i in range(10)]  # 13 words each


def verdict(lines: list[str], **settings: object) -> object:
    return decide(Document("1", "\n".join(lines)), Settings(**settings))  # type: ignore[arg-type]


def cut(line: str, rule: str) -> None:
    assert verdict([*LINES[:5], line, *LINES[5:]]) == Edit("\n".join(LINES), {f"refinedweb.{rule}": 1})


def stays(line: str) -> None:
    assert verdict([*LINES, line]) == Keep()


def test_lines_in_capitals() -> None:
    cut("BUY IT NOW ok", "line_upper_case")  # 8 of 13
    stays("ABCD efg")  # 4 of 8 = 0.5
    cut("ABCDE fg", "line_upper_case")
    cut("ÄÖÜÉÈ fg", "line_upper_case")


def test_lines_of_digits_counters_and_single_words() -> None:
    cut("123456", "line_digits")
    cut("٣٤٥", "line_digits")
    stays("12 34")  # the space is no digit
    assert verdict([*LINES, "12 3"], max_digit_frac=0.75) == Keep()
    assert isinstance(verdict([*LINES, "12 3"], max_digit_frac=0.74), Edit)
    cut("3 likes", "line_counter")
    cut("1,204.5K Views!", "line_counter")
    stays("3 boats")
    stays("3 likes and one boat")
    cut("Menu", "line_few_words")
    stays("Main menu")
    stays("古い灯台の番人は毎晩船を数えた")  # no spaces: about eight words
    assert verdict([*LINES, "3 bateaux"], counted=("bateaux",)) == Edit(
        "\n".join(LINES), {"refinedweb.line_counter": 1}
    )


def test_phrases_are_cut_out_of_short_lines() -> None:
    edit = verdict([*LINES, "See our new boats Read more..."])
    assert edit == Edit("\n".join([*LINES, "See our new boats"]), {"refinedweb.phrase": 1})
    edit = verdict([*LINES, "Sign-in for the boats"])
    assert edit == Edit("\n".join([*LINES, "for the boats"]), {"refinedweb.phrase": 1})
    assert verdict([*LINES, "3 items in cart"]) == Edit("\n".join([*LINES, "3"]), {"refinedweb.phrase": 1})
    ten = "one two three four five six seven eight read more..."
    assert verdict([*LINES, ten]) == Edit("\n".join([*LINES, ten[:-13]]), {"refinedweb.phrase": 1})
    stays("one " + ten)  # 11 words
    stays("read more... of the boats")  # not at the end
    stays("please sign-in here")


def test_pages_that_lose_too_many_words() -> None:
    lines = [*LINES, "a b"]  # 132 words
    assert verdict([*lines, "ABC DEF GHI JKL MNO PQR"]) == Edit(
        "\n".join(lines), {"refinedweb.line_upper_case": 1}
    )  # 6 of 138 = 0.043
    drop = verdict([*lines, "ABC DEF GHI JKL MNO PQR STU"])  # 7 of 139 = 0.0504
    assert drop == Drop("refinedweb.too_much_removed", pytest.approx(7 / 139))
    assert isinstance(verdict([*lines, "ABC DEF GHI JKL MNO PQR STU"], max_removed_frac=7 / 139), Edit)
    assert verdict(["3 likes"]) == Drop("refinedweb.too_much_removed", 1.0)
    assert verdict(["3 likes", *LINES], max_removed_frac=1.0) == Edit("\n".join(LINES), {"refinedweb.line_counter": 1})


def test_empty_lines_stay_single_and_a_page_without_bad_lines_is_as_it_was() -> None:
    text = [LINES[0], "", "", LINES[1]]
    assert verdict(text) == Keep()
    edit = verdict([*LINES, "", "Menu", "", LINES[1]])
    assert isinstance(edit, Edit) and edit.text == "\n".join([*LINES, "", LINES[1]])

import pytest

from hornbook.core.document import Document, Drop, Keep
from hornbook.data.filters.fineweb import Settings, decide

LONG = "a line of plain words that goes on for more than thirty"
END = LONG + "."


def verdict(lines: list[str], **settings: object) -> object:
    return decide(Document("1", "\n".join(lines)), Settings(**settings))  # type: ignore[arg-type]


def numbered(line: str, count: int) -> list[str]:
    return [f"{i:02d} {line}" for i in range(count)]


def test_lines_that_end_a_sentence() -> None:
    assert verdict(numbered(END, 3) + numbered(LONG, 22)) == Keep()  # 3 of 25 = 0.12
    assert verdict(numbered(END, 3) + numbered(LONG, 23)) == Drop("fineweb.line_ends", pytest.approx(3 / 26))
    assert verdict(numbered(LONG, 5), min_line_ends=0.0) == Keep()
    assert verdict(numbered(LONG + '."', 5)) == Keep()
    assert verdict(numbered(LONG + '."', 5), reading="datatrove") == Drop("fineweb.line_ends", 0.0)
    assert verdict(numbered(LONG + "。", 5), reading="datatrove") == Keep()
    assert verdict(numbered(LONG + "؟ ", 5)) == Keep()
    assert verdict(numbered(LONG + "؟ ", 5), reading="datatrove") == Drop("fineweb.line_ends", 0.0)  # a space follows
    assert verdict([" ", ""]) == Drop("fineweb.empty", 0)


def test_short_lines() -> None:
    short = [f"{i:02d} " + "x" * 26 + "." for i in range(67)]  # 30 characters
    assert len(short[0]) == 30
    assert verdict(short + numbered(END, 33), max_newlines=9.0) == Keep()  # 0.67
    assert verdict(short + numbered(END, 32), max_newlines=9.0) == Drop("fineweb.short_lines", pytest.approx(67 / 99))
    assert verdict([line + "x" for line in short], min_line_ends=0.0, max_newlines=9.0) == Keep()  # 31 characters


def test_characters_in_repeated_lines() -> None:
    lines = numbered("x" * 97, 9)  # 100 characters each
    assert verdict([*lines, lines[0]], min_line_ends=0.0, max_newlines=1.0) == Keep()  # 100 of 1000 = 0.1
    more = [*lines[:8], lines[0]]  # 100 of 900
    assert verdict(more, min_line_ends=0.0, max_newlines=1.0) == Drop("fineweb.duplicate_lines", pytest.approx(1 / 9))
    drop = verdict([*lines, lines[0]], min_line_ends=0.0, max_newlines=1.0, reading="datatrove")
    assert drop == Drop("fineweb.duplicate_lines", pytest.approx(0.1))
    given = {"reading": "datatrove", "max_duplicate_chars": 0.1}
    assert verdict([*lines, lines[0]], min_line_ends=0.0, max_newlines=1.0, **given) == Keep()
    assert Settings(reading="datatrove").max_duplicate_chars == 0.01 and Settings().max_duplicate_chars == 0.1


def test_line_breaks_for_each_word() -> None:
    lines = [f"extraordinarily{i} {'x' * 20} word{i}." for i in range(11)]  # 3 words; 10 breaks
    assert verdict(lines) == Drop("fineweb.newlines", pytest.approx(10 / 33))
    assert verdict([*lines[:-1], "and " + lines[-1]]) == Keep()  # 10 / 34 = 0.294
    exact = [
        "a line of some more than thirty letters. b",
        "x" * 40,
        "z" * 40,
        "y" * 40 + " c",
    ]  # 3 breaks, 9 + 1 + 1 + 2 words
    assert verdict(exact, min_line_ends=0.0, max_newlines=3 / 13) == Keep()
    assert verdict(exact, min_line_ends=0.0, max_newlines=0.23) == Drop("fineweb.newlines", pytest.approx(3 / 13))
    assert verdict(lines, reading="datatrove") == Keep()  # 44 words and marks
    assert (
        verdict(["古い灯台の番人は毎晩船を数えてから階段を上ってランプに火をともした。"] * 1 + ["日が昇った。" * 6])
        == Keep()
    )

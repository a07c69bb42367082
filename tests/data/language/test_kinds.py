import pytest

from hornbook.data.language.kinds import code_lines_frac, guess_kind, is_code

PYTHON = "def area(width, height):\n    if width < 0:\n        return 0\n    total = width * height\n    return total\n"
C = '#include <stdio.h>\n\nint main(void) {\n    printf("%d\\n", 3);\n    return 0;\n}\n'
JSON = '{\n  "name": "boat",\n  "sails": [1, 2],\n  "home": {"port": "north"}\n}\n'
POEM = (
    "Little boat upon the sea,\nwill you bring a shell for me?\n"
    "Little boat upon the foam,\nwill you bring my father home?\n"
)
LETTER = "Dear Aunt Vera,\n\nthe boat came in on Monday and we all went down to look.\n\nMuch love,\nTom\n"
BRIEF = "Liebe Oma,\n\ndas Boot ist am Montag gekommen und wir waren alle am Hafen.\n\nViele Grüße\nTom\n"
STORY = (
    'One day a fox went to the river. He was hungry and he saw a boat. "Who is there?" he asked. '
    '"It is me," said the hen. She had a basket, and they went home together, and they were happy.'
)
PAGE = (
    "The harbour office opens at nine. Ferries leave from the second pier, and tickets are sold on board. "
    "Bicycles are carried free of charge. Dogs need a ticket of their own."
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(PYTHON, "code"), (C, "code"), (JSON, "code"), (POEM, "poem"), (LETTER, "letter"), (BRIEF, "letter")]
    + [(STORY, "story"), (PAGE, ""), ("", ""), ("Boats\n\nHome\nContact\nAbout us\nImprint", "")],
)
def test_kinds_by_shape(text: str, kind: str) -> None:
    assert guess_kind(text) == kind


def test_code_needs_many_marks_or_some_and_lines_of_code() -> None:
    assert is_code("a = b;" * 10)  # a third of it is marks
    prose = "ab" * 48
    assert not is_code(prose + "(x)[]")  # 4 of 101: not above 0.04
    assert not is_code(prose + "(x)[](y")  # 5 of 103, but no line is built like a statement
    assert is_code(prose + "(x)[];")  # 5 of 102, and its line ends in ;
    assert is_code("x = (1)\n" + "y = foo\n" * 3)  # 5 of 17
    assert code_lines_frac("x = 1\nplain words here\n\nreturn x\n") == pytest.approx(2 / 3)


def test_a_greeting_alone_makes_no_letter() -> None:
    assert guess_kind(LETTER.replace("Much love,\nTom\n", "")) == ""
    assert guess_kind(LETTER.replace("Much love,\nTom\n", "Love, Tom")) == "letter"
    inline = "News\nDear Aunt Vera, the boat came in and we all went to look at it. It was large. Always yours, Tom."
    assert guess_kind(inline) == "letter"
    assert guess_kind(inline.replace("Aunt Vera,", "Aunt Vera and")) == ""
    assert guess_kind(inline.replace("Always yours, Tom.", "It was red.")) == ""
    assert guess_kind(LETTER.replace("Dear Aunt Vera,\n\n", "")) == ""
    assert guess_kind("Dear reader, " + "this is a long line about boats and the people who sail them. " * 3) == ""


def test_long_lines_make_no_poem() -> None:
    assert guess_kind(POEM.replace("\n", " " * 60 + "x\n")) == ""
    assert guess_kind(POEM.split("me?")[0]) == ""

from hornbook.data.html.entities import unescape


def test_references_become_characters() -> None:
    assert unescape("&lt;&#228;&#x110000; &") == "<ä\ufffd &"


def test_a_number_too_long_for_python_is_a_character_to_nobody() -> None:
    assert unescape("a &#" + "9" * 4301 + "; b &amp; c") == "a \ufffd b & c"

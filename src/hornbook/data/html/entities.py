"""Character references of HTML (`&amp;`, `&#228;`) as characters."""

import html
import re

HUGE = re.compile(r"&#[0-9]{8,};?")


def unescape(text: str) -> str:
    """The text with its references replaced; a number that is no character becomes U+FFFD.

    Python's own function raises on `&#` with more than 4,300 digits.

    >>> unescape("a &lt; b &#228;")
    'a < b ä'
    """
    try:
        return html.unescape(text)
    except ValueError:
        return html.unescape(HUGE.sub("\ufffd", text))

"""Filter c4: remove lines that are no sentences, and pages that are no text."""

import re
from collections import Counter

import pydantic

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.settings import StrictSettings

SOURCE = "Source: Raffel et al. 2020 (T5), section 2.2"
RULES = {
    "c4.lorem_ipsum": f'the page says "lorem ipsum". {SOURCE}',
    "c4.curly_bracket": f"the page has a curly bracket, as program code does. {SOURCE}",
    "c4.few_sentences": f"fewer than min_sentences sentences are left (value: how many). {SOURCE}",
    "c4.line_no_end_mark": f"edit: a line does not end in . ! ? or a quotation mark. {SOURCE}",
    "c4.line_few_words": f"edit: a line has fewer than min_line_words words. {SOURCE}",
    "c4.line_javascript": f'edit: a line says "javascript". {SOURCE}',
    "c4.line_policy": "edit: a line speaks of cookies, terms or privacy policies. Source: the C4 program (c4_utils.py)",
    "c4.line_long_word": "edit: a line has a word longer than max_word_chars. Source: the C4 program (c4_utils.py)",
    "c4.citation": "edit: a citation mark such as [3] or [edit] was removed. Source: the C4 program (c4_utils.py)",
}

END_MARKS = (".", "!", "?", '"', "'", "”", "’")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
CITATION = re.compile(r"\[(?:\d{0,4}|edit|citation needed)\]")
SENTENCE_END = re.compile(r"[.!?]+[\"'”’)\]]*(?=\s|$)")


class Settings(StrictSettings):
    """Which rules apply; the defaults are the paper's."""

    end_marks: bool = True
    """Remove lines without an end mark (FineWeb leaves this rule out)."""
    min_line_words: int = pydantic.Field(default=3, ge=0)
    """Remove lines with fewer words (DCLM's configuration: 5)."""
    max_word_chars: int = pydantic.Field(default=1000, ge=1)
    """Remove lines with a longer word."""
    min_sentences: int = pydantic.Field(default=5, ge=0)
    """Drop pages with fewer sentences left (DCLM's configuration: 3)."""
    javascript: bool = True
    """Remove lines that say "javascript"."""
    policies: bool = True
    """Remove lines about cookies, terms and privacy."""
    lorem_ipsum: bool = True
    """Drop pages with "lorem ipsum"."""
    curly_brackets: bool = True
    """Drop pages with a curly bracket (switch off where code is wanted)."""
    citations: bool = True
    """Remove citation marks."""


def decide(document: Document, settings: Settings) -> Decision:
    """Remove lines, then drop the page when too little is left.

    Source: Raffel et al. 2020, 2.2, and the published program. Deviations: blank lines between paragraphs stay;
    typographic quotation marks end a line too; sentences are counted by a pattern
    instead of NLTK; the list of bad words is left to other filters.
    """
    text = document.text
    if settings.curly_brackets and "{" in text:
        return Drop("c4.curly_bracket", text.count("{"))
    if settings.lorem_ipsum and "lorem ipsum" in text.lower():
        return Drop("c4.lorem_ipsum", "lorem ipsum")
    counts: Counter[str] = Counter()
    kept: list[str] = []
    for line in text.split("\n"):
        line = line.strip()
        if not line:
            if kept and kept[-1]:
                kept.append("")
            continue
        if settings.citations and "[" in line:
            line, marks = CITATION.subn("", line)
            counts["c4.citation"] += marks
            line = line.strip()
        rule = _bad_line(line, settings)
        if rule:
            counts[rule] += 1
        else:
            kept.append(line)
    result = "\n".join(kept).strip()
    sentences = len(SENTENCE_END.findall(result))
    if sentences < settings.min_sentences:
        return Drop("c4.few_sentences", sentences)
    counts = +counts
    return Edit(result, dict(counts)) if counts else Keep()


def _bad_line(line: str, settings: Settings) -> str:
    """The rule that removes this line, or ""."""
    words = line.split()
    if len(line) > settings.max_word_chars and max(map(len, words)) > settings.max_word_chars:
        return "c4.line_long_word"
    if settings.end_marks and (not line.endswith(END_MARKS) or line.endswith("...")):
        return "c4.line_no_end_mark"
    if len(words) < settings.min_line_words:
        return "c4.line_few_words"
    lower = line.lower()
    if settings.javascript and "javascript" in lower:
        return "c4.line_javascript"
    if settings.policies and any(phrase in lower for phrase in POLICY):
        return "c4.line_policy"
    return ""

"""Filter c4: remove lines that are no sentences, and pages that are no text."""

import re
from collections import Counter
from typing import Any, Literal

import pydantic

from hornbook.core.document import Decision, Document, Drop, Edit, Keep
from hornbook.core.settings import StrictSettings
from hornbook.data.language.languages import CLOSERS, SENTENCE_ENDS
from hornbook.data.language.words import has_words

SOURCE = "Source: Raffel et al. 2020 (T5), section 2.2"
RULES = {
    "c4.too_long": "more than max_chars characters (value: how many). Source: DCLM's configuration of C4",
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

ELLIPSES = ("...", "…")
END_MARKS = {
    "paper": tuple(sorted(set(SENTENCE_ENDS + CLOSERS) - set(")）]】"))),
    "datatrove": (".", "?", "!", '"', "'"),
    "dclm": (".", "?", "!", '"'),
}
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
CITATION = re.compile(r"\[(?:\d{0,4}|edit|citation needed)\]")
ENDS, CLOSING = "[.!?؟۔।॥։።፧។။]", f"[{re.escape(CLOSERS)}]*+"
SENTENCE_END = re.compile(rf"(?<!{ENDS}){ENDS}++{CLOSING}(?=\s|$)|[。！？．｡]++{CLOSING}")
# What a reading sets where the recipe does not.
READINGS: dict[str, dict[str, Any]] = {
    "paper": {},
    "datatrove": {},
    "dclm": {"min_line_words": 5, "min_sentences": 3, "max_chars": 190_000},
}


class Settings(StrictSettings):
    """Which rules apply; the defaults are the paper's."""

    reading: Literal["paper", "datatrove", "dclm"] = "paper"
    """How the paper is read where programs differ (docs/decisions/data-readings.md). `dclm` also sets min_line_words 5,
    min_sentences 3 and max_chars 190,000, unless they are given."""
    end_marks: bool = True
    """Remove lines without an end mark (FineWeb leaves this rule out)."""
    min_line_words: int = pydantic.Field(default=3, ge=0)
    """Remove lines with fewer words."""
    max_word_chars: int = pydantic.Field(default=1000, ge=1)
    """Remove lines with a longer word."""
    min_sentences: int = pydantic.Field(default=5, ge=0)
    """Drop pages with fewer sentences left."""
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
    max_chars: int | None = pydantic.Field(default=None, ge=1)
    """Drop longer pages; empty = no such rule."""

    @pydantic.model_validator(mode="before")
    @classmethod
    def _reading(cls, data: Any) -> Any:
        return READINGS.get(str(data.get("reading")), {}) | data if isinstance(data, dict) else data


def decide(document: Document, settings: Settings) -> Decision:
    """Remove lines, then drop the page when too little is left.

    Source: Raffel et al. 2020, 2.2, and the published program. Deviations of `paper`: blank lines between paragraphs
    stay; typographic quotation marks and the sentence ends of other scripts end a line too; words of scripts without
    spaces are estimated; sentences are counted by a pattern instead of NLTK; the list of bad words is left to other
    filters. `datatrove` and `dclm` look for curly brackets and "lorem ipsum" only in lines that other rules have left,
    and know English marks only; datatrove counts a line without an end mark as a sentence too.
    """
    text = document.text
    if settings.max_chars is not None and len(text) > settings.max_chars:
        return Drop("c4.too_long", len(text))
    paper = settings.reading == "paper"
    whole = _bad_page(text, settings) if paper else None
    if whole is not None:
        return whole
    kept, counts = _good_lines(text.split("\n") if paper else text.splitlines(), settings)
    result = "\n".join(kept).strip()
    late = None if paper else _bad_page(result, settings)
    if late is not None:
        return late
    sentences = _num_sentences(result, settings.reading)
    if sentences < settings.min_sentences:
        return Drop("c4.few_sentences", sentences)
    return Edit(result, dict(counts)) if counts else Keep()


def _bad_page(text: str, settings: Settings) -> Drop | None:
    if settings.curly_brackets and "{" in text:
        return Drop("c4.curly_bracket", text.count("{"))
    if settings.lorem_ipsum and "lorem ipsum" in text.lower():
        return Drop("c4.lorem_ipsum", "lorem ipsum")
    return None


def _good_lines(lines: list[str], settings: Settings) -> tuple[list[str], Counter[str]]:
    """The lines that stay, one empty line between paragraphs, and what was removed by which rule."""
    counts: Counter[str] = Counter()
    kept: list[str] = []
    marks = END_MARKS[settings.reading]
    for raw in lines:
        line = raw.strip()
        if not line:
            if kept and kept[-1]:
                kept.append("")
            continue
        if settings.citations and "[" in line:
            line, num_marks = CITATION.subn("", line)
            if num_marks:
                counts["c4.citation"] += num_marks
            if settings.reading != "datatrove":  # which leaves the space before the mark, and so loses the line
                line = line.strip()
        rule = _bad_line(line, settings, marks)
        if rule:
            counts[rule] += 1
        else:
            kept.append(line)
    return kept, counts


def _num_sentences(text: str, reading: str) -> int:
    if reading != "datatrove":
        return len(SENTENCE_END.findall(text))
    num = 0
    for line in filter(None, text.split("\n")):
        ends = [match.end() for match in SENTENCE_END.finditer(line)]
        num += len(ends) + (not ends or ends[-1] < len(line))
    return num


def _bad_line(line: str, settings: Settings, marks: tuple[str, ...]) -> str:
    """The rule that removes this line, or ""."""
    if len(line) > settings.max_word_chars and max(map(len, line.split()), default=0) > settings.max_word_chars:
        return "c4.line_long_word"
    if settings.end_marks and (not line.endswith(marks) or line.endswith(ELLIPSES)):
        return "c4.line_no_end_mark"
    least = settings.min_line_words
    if not (has_words(line, least) if settings.reading == "paper" else len(line.split()) >= least):
        return "c4.line_few_words"
    lower = line.lower()
    if settings.javascript and "javascript" in lower:
        return "c4.line_javascript"
    if settings.policies and any(phrase in lower for phrase in POLICY):
        return "c4.line_policy"
    return ""

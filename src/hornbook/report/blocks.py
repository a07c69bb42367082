"""What stages hand to a report: words, tables, curves, spreads, samples, funnels, flows and scores; never HTML."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A heading and plain paragraphs (an empty line parts them)."""

    title: str
    body: str


@dataclass(frozen=True)
class Table:
    """Rows of cells under column names; numbers are set to the right. `note` explains what a reader should know."""

    title: str
    columns: list[str]
    rows: list[list[object]]
    note: str = ""


@dataclass(frozen=True)
class Series:
    """Curves: name of a line -> its (x, y) points, in order of x."""

    title: str
    x_label: str
    y_label: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Samples:
    """Texts to read, each a record of name -> text (`step`, `prompt`, `text`, `answer`, ...), shown in that order.

    `folded`: a page shows the title only, until a reader opens it.
    """

    title: str
    items: list[dict[str, str]]
    folded: bool = False


@dataclass(frozen=True)
class Funnel:
    """What went in, what was left out and why, what stayed. `unit`: documents, pages, conversations."""

    title: str
    num_in: int
    num_kept: int
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    edited: dict[str, int] = field(default_factory=dict[str, int])
    unit: str = "documents"


@dataclass(frozen=True)
class FlowStep:
    """One step of a flow: what came in, what left under which name, what stayed. `note`: said beside what stayed."""

    name: str
    num_in: int
    num_kept: int
    bytes_in: int = 0
    bytes_kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict[str, int])
    note: str = ""


@dataclass(frozen=True)
class Flow:
    """What became of everything that went in, step by step, drawn as a river that loses its branches."""

    title: str
    steps: list[FlowStep]
    unit: str = "documents"
    note: str = ""


@dataclass(frozen=True)
class Spread:
    """How one quantity is spread: counts in bins of equal width from `low` to `high`; `mark`: a limit on that axis.

    `cells`: what stands in the table beside the drawing, under the names of `Spreads.columns`.
    """

    name: str
    low: float
    high: float
    counts: list[int]
    mark: float | None = None
    cells: list[object] = field(default_factory=list[object])


@dataclass(frozen=True)
class Spreads:
    """Histograms of several quantities, one a row, each with numbers beside it."""

    title: str
    columns: list[str]
    rows: list[Spread]
    note: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One score with its interval. `bar`: what it must reach (None: no bar); `higher_is_better`: which way."""

    name: str
    value: float
    low: float
    high: float
    num_cases: int
    unit: str = ""
    baseline: float | None = None
    bar: float | None = None
    protocol: str = ""
    higher_is_better: bool = True

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; None without a bar."""
        if self.bar is None:
            return None
        return self.value >= self.bar if self.higher_is_better else self.value <= self.bar


@dataclass(frozen=True)
class Scores:
    """Scores with intervals, baselines and bars."""

    title: str
    rows: list[ScoreRow]


OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
"""Control characters, direction overrides and halves of surrogates: all but tab and new line."""

SHARE_UNITS = ("share", "frac", "accuracy")
"""Units of scores between 0 and 1 that are shown as per cent."""

Block = Text | Table | Series | Samples | Funnel | Flow | Spreads | Scores


def clean(text: str) -> str:
    """The text without what a page or a terminal would obey: control characters become visible marks.

    >>> clean("a\\x1b[31mb\\x00")
    'a␛[31mb␀'
    """
    return OBEYED.sub(_mark, text.replace("\r\n", "\n"))


def _mark(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(0x2400 + code) if code < 32 else "␡" if code == 127 else "\ufffd"


def number(value: object) -> str:
    """A table's cell as people read it: thousands parted, floats to four significant digits.

    >>> number(1234567), number(0.123456), number(None), number(True)
    ('1,234,567', '0.1235', '–', 'yes')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return clean(str(value))


def quantity(value: float | None, unit: str) -> str:
    """A score as people read it: shares as per cent, the rest to four significant digits.

    >>> quantity(0.9123, "share"), quantity(3.06412, "bits per byte"), quantity(None, "share")
    ('91.2 %', '3.064', '–')
    """
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if unit in SHARE_UNITS else number(float(value))


def share(part: float, whole: float) -> str:
    """`12.3 %` of a whole, or nothing to say when there is none.

    >>> share(1, 8), share(1, 0)
    ('12.5 %', '–')
    """
    return f"{100 * part / whole:.1f} %" if whole else "–"

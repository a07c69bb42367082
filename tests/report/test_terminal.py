"""The same blocks in characters."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from hornbook.report.blocks import (
    Flow,
    FlowStep,
    Funnel,
    Samples,
    ScoreRow,
    Scores,
    Series,
    Spread,
    Spreads,
    Table,
    Text,
)
from hornbook.report.terminal import plot, score_cells, show, sparkline


def printed(*blocks, width=100, num_samples=3):
    out = io.StringIO()
    show(list(blocks), Console(file=out, width=width, highlight=False), num_samples)
    return out.getvalue()


def test_every_block_is_shown():
    text = printed(
        Text("Words", "Hello."),
        Table("Rows", ["name", "count"], [["a", 12345]], "A note."),
        Funnel("Funnel", 200, 150, {"rule.b": 10, "rule.a": 40}, {"pii.email": 3}),
        Samples("Texts", [{"text": f"sample {i}"} for i in range(7)]),
        Scores("Scores", [ScoreRow("facts", 0.95, 0.91, 0.98, 200, "share", 0.2, 0.9)]),
    )
    for words in ("Hello.", "12,345", "A note.", "150 of 200 documents stayed (75.0 %)", "sample 2", "≥ 90.0 % met"):
        assert words in text
    assert "sample 3" not in text and "4 more (--samples 7)." in text
    assert text.index("rule.a") < text.index("rule.b") and "█" * 24 in text and "█" * 25 not in text


def test_flows_and_spreads() -> None:
    dropped = {f"rule.{letter}\x1b[1m": n for n, letter in enumerate("abcdef", 1)}
    text = printed(
        Flow("Way", [FlowStep("clean", 100, 79, dropped=dropped), FlowStep("unique", 79, 50, note="9 tokens")]),
        Spreads("Spread", ["limit"], [Spread("rule.x", 0, 4, [0, 1, 4], 2.0, [7])], "A note."),
    )
    assert "rule.f␛[1m 6, rule.e␛[1m 5" in text and "and 2 more" in text and "\x1b" not in text
    assert "79.0 %" in text and "50.0 %" in text and "9 tokens" in text
    assert "▁" in text and "█" in text and "rule.x" in text and "A note." in text


def test_what_data_says_cannot_steer_the_terminal_or_rich():
    text = printed(
        Samples("t\x1b]0;x\x07", [{"a\x1b[2J": "[bold]b[/bold]\x1b[31m\x9b"}]), Table("", ["[red]c"], [["[/]"]])
    )
    assert "\x1b" not in text and "\x07" not in text and "\x9b" not in text
    assert "[bold]b[/bold]" in text and "[red]c" in text and "[/]" in text


def test_lines_fit_the_width():
    long = "word " * 60
    text = printed(
        Text("", long), Table("", ["a", "b"], [[long, "evaluate.generative"]]), Samples("", [{"t": long}]), width=60
    )
    assert max(len(line) for line in text.splitlines()) <= 60 and "evaluate.generative" in text


def test_a_plot_goes_from_the_top_left_to_the_bottom_right():
    lines = plot(Series("t", "tokens", "bits", {"a": [(0, 4.0), (1_500_000, 1.0)]}), columns=10, rows=3).splitlines()
    assert lines[0] == "a (bits): 4 → 1"
    assert lines[1].startswith("4 ┤") and lines[3].startswith("1 ┤") and "0" in lines[4] and lines[4].endswith("1.5M")
    cells = [line.split("┤")[1] for line in lines[1:4]]
    assert ord(cells[0][0]) & 0x01 and ord(cells[2][-1]) & 0x80, "first and last dot"
    assert not ord(cells[0][-1]) & 0xFF and not ord(cells[2][0]) & 0xFF
    assert all(any(ord(row[i]) & 0xFF for row in cells) for i in range(10)), "points are joined"


@given(st.lists(st.floats(), max_size=30))
def test_plots_and_sparklines_never_fail(values):
    plot(Series("t", "x", "y", {"a": list(enumerate(values))}))
    assert len(sparkline(values, 7)) <= 7


def test_sparkline():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1.0] * 4) == "▄▄▄▄" and sparkline([]) == "" and sparkline([1, float("nan"), 2]) == "▁ █"


def test_scores_in_cells():
    cells = score_cells(
        ScoreRow("bits per byte", 1.25, 1.2, 1.3, 9, "bits per byte", None, 1.0, higher_is_better=False)
    )
    assert cells == ("bits per byte", "1.25", "1.2 – 1.3", "9", "–", "≤ 1 missed")

"""The river: widths in proportion, nothing lost between what leaves and what stays, labels escaped."""

import re
from xml.etree import ElementTree

from hornbook.report.blocks import Flow, FlowStep
from hornbook.report.flow import MOST_BRANCHES, RIVER, flow_svg


def test_widths_are_in_proportion_and_add_up() -> None:
    step = FlowStep("clean", 1000, 700, 9000, 6000, {"a.long": 200, "b.short": 100, "c.never": 0})
    drawn = flow_svg(Flow("All", [step, FlowStep("unique", 700, 700)]))
    root = ElementTree.fromstring(drawn)
    rivers = [float(e.get("width", 0)) for e in root.iter("rect")]
    assert rivers == [0.7 * RIVER, 0.7 * RIVER]
    tops = [
        re.match(r"M([\d.]+) .*?V([\d.]+)Z", str(e.get("d"))) for e in root.iter("path") if e.get("class") == "lost"
    ]
    lefts = [float(found[1]) for found in tops if found]
    assert lefts == [190 + 0.8 * RIVER, 190 + 0.7 * RIVER]  # the larger branch lies outside, none overlap
    words = [e.text for e in root.iter("text")]
    assert "200 (20.0 %)" in words and "100 (10.0 %)" in words and "c.never" not in words
    assert "1,000 in" in words and "700 documents" in words and "9 kB" in words


def test_many_rules_are_drawn_as_few_and_count_the_same() -> None:
    dropped = {f"rule.{n}": n + 1 for n in range(20)}
    drawn = flow_svg(Flow("", [FlowStep("clean", 300, 90, dropped=dropped)]))
    counts = [int(n) for n in re.findall(r">(\d+) \(", drawn)]
    assert len(counts) == MOST_BRANCHES and sum(counts) == 210 and "13 other rules" in drawn


def test_labels_are_escaped_and_nothing_is_nothing() -> None:
    drawn = flow_svg(Flow('"><script>', [FlowStep("</text><script>", 10, 5, dropped={"<b>&": 5})]))
    assert "<script" not in drawn and "&lt;b&gt;&amp;" in drawn
    ElementTree.fromstring(drawn)
    assert flow_svg(Flow("", [])) == "" == flow_svg(Flow("", [FlowStep("a", 0, 0)]))


def test_shares_are_of_what_came_into_the_first_step() -> None:
    """A second input makes a later step larger than the first."""
    steps = [FlowStep("text", 100, 80, dropped={"a.long": 20}), FlowStep("both", 400, 350, dropped={"b.twice": 50})]
    words = [e.text for e in ElementTree.fromstring(flow_svg(Flow("", steps))).iter("text")]
    assert "20 (20.0 %)" in words and "50 (50.0 %)" in words

"""Plots: deterministic, self-contained, escaped, honest about spikes."""

import math
import re
import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from hornbook.report.blocks import Series
from hornbook.report.plot import svg, thinned

CURVE = Series("Loss", "tokens", "nats", {"train": [(i, 5 / (i + 1)) for i in range(40)], "valid": [(0, 4), (39, 1)]})


def test_the_same_points_give_the_same_bytes():
    first = svg(CURVE)
    assert svg(CURVE) == first and svg(Series("Other", *[CURVE.x_label, CURVE.y_label, CURVE.lines])) != first


def test_it_is_one_element_without_clocks_or_outside_references():
    found = svg(CURVE)
    root = ElementTree.fromstring(found)
    assert root.tag.endswith("svg") and root.attrib["aria-label"] == "Loss"
    assert "<metadata" not in found and "DOCTYPE" not in found
    outside = [url for url in re.findall(r"https?://[^\"' <]+", found) if not url.startswith("http://www.w3.org/")]
    assert not outside and "url(http" not in found
    assert "var(--line-1)" in found and "var(--line-2)" in found and "currentColor" in found and "#010203" not in found


def test_two_plots_share_no_ids():
    ids = [set(re.findall(r'\bid="([^"]+)"', svg(Series(title, "x", "y", CURVE.lines)))) for title in ("a", "b")]
    assert ids[0] and not ids[0] & ids[1]
    for title in ("a", "b"):
        found = svg(Series(title, "x", "y", CURVE.lines))
        used = set(re.findall(r"url\(#([^)]+)\)", found)) | set(re.findall(r'href="#([^"]+)"', found))
        assert used <= set(re.findall(r'\bid="([^"]+)"', found))


def test_hostile_names_are_escaped():
    found = svg(Series("</svg><script>", "$x^{", "\x00&", {"<b>$": [(0, 1), (1, 2)], "_hidden": [(0, 2), (1, 1)]}))
    ElementTree.fromstring(found)
    assert "<script>" not in found and "&lt;b&gt;$" in found and "hidden" in found


def test_nothing_to_draw_is_an_empty_string():
    assert svg(Series("t", "x", "y", {})) == ""
    assert svg(Series("t", "x", "y", {"a": [], "b": [(0, math.nan)]})) == ""


def test_points_that_are_not_finite_leave_a_gap():
    found = svg(Series("t", "x", "y", {"a": [(0, 1.0), (1, math.inf), (2, math.nan), (3, 2.0)]}))
    ElementTree.fromstring(found)
    assert "<path" in found and "nan" not in found and "inf" not in found


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000), st.integers(10, 400))
def test_thinning_keeps_ends_order_and_extremes(values, most):
    points = [(float(i), value) for i, value in enumerate(values)]
    kept = thinned(points, most)
    assert kept[0] == points[0] and kept[-1] == points[-1] and kept == sorted(kept) and set(kept) <= set(points)
    assert len(kept) <= most + 3
    assert min(y for _, y in kept) == min(values) and max(y for _, y in kept) == max(values)

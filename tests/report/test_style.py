"""The colours of plots have their names in the page, for light and for dark."""

import re
from pathlib import Path

import hornbook.report.style as style

CSS = (Path(style.__file__).parent / "page.css").read_text()


def test_every_line_colour_has_a_light_and_a_dark_name():
    for place in range(1, len(style.LINE_COLOURS) + 1):
        assert len(re.findall(rf"--line-{place}:", CSS)) == 2
    assert len(set(style.LINE_COLOURS)) == len(style.LINE_COLOURS) and style.INK not in style.LINE_COLOURS


def test_text_is_readable_on_paper_in_light_and_dark():
    """Contrast of at least 4.5 to 1. Source: WCAG 2.2, success criterion 1.4.3."""
    for block in CSS.split("@media (prefers-color-scheme: dark)")[:2]:
        colours = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block))
        for ink in ("ink", "soft", "accent", "good", "bad", "warn"):
            for paper in ("paper", "panel"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (
                    ink,
                    paper,
                    contrast(colours[ink], colours[paper]),
                )


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

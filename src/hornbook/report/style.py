"""The one style of plots: quiet axes, no frame, colours that page.css names again for light and dark."""

from typing import Any

INK = "#010203"
"""Stands for the page's text colour in plots; becomes `currentColor`."""

LINE_COLOURS = ("#2266c1", "#c14a22", "#1f8f5f", "#8a4fbf", "#b98900", "#4f6b75")
"""Stand for `--line-1` … `--line-6` of page.css, which has lighter ones for dark pages."""

RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "hornbook",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.formatter.useoffset": False,
    "grid.color": INK,
    "grid.alpha": 0.13,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "path.simplify": False,
}

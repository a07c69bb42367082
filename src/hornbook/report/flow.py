"""A flow as a river from top to bottom: as wide as what is still in it, with a branch for everything that leaves."""

from html import escape
from typing import NamedTuple

from hornbook.core.units import human_bytes
from hornbook.report.blocks import Flow, FlowStep, clean, share

WIDTH = 960
LEFT = 190
RIVER = 300
BRANCH_END = 590
ROW = 22
HEAD = 46
BEND = 9
MOST_BRANCHES = 8


class _Branch(NamedTuple):
    label: str
    size: int


def flow_svg(flow: Flow) -> str:
    """The flow as one `<svg>` without ids or outside references; empty when nothing went in.

    Widths are in proportion to counts (a branch is never thinner than a hair). Labels stand left for what stays, right
    for what leaves; of a step's rules the smallest are drawn as one.
    """
    steps = [step for step in flow.steps if step.num_in or step.num_kept]
    most = max((max(step.num_in, step.num_kept) for step in steps), default=0)
    if not most:
        return ""
    scale, parts, y = RIVER / most, [], 8.0
    for step in steps:
        part, y = _step(step, scale, y, steps[0].num_in)
        parts.append(part)
    last = steps[-1]
    parts.append(
        _left(y + 14, "what is left", f"{last.num_kept:,} {clean(flow.unit)}", last.note or _bytes(last.bytes_kept))
    )
    parts.append(_tip(last.num_kept * scale, y))
    height = y + HEAD
    said = escape(clean(f"{flow.title}: {steps[0].num_in:,} in, {last.num_kept:,} left"), quote=True)
    return f'<svg role="img" aria-label="{said}" viewBox="0 0 {WIDTH} {height:.0f}">{"".join(parts)}</svg>'


def _step(step: FlowStep, scale: float, y: float, whole: int) -> tuple[str, float]:
    """One step's drawing and where the next begins."""
    branches = _branches(step)
    parts = [_left(y + 14, step.name, f"{step.num_in:,} in", _bytes(step.bytes_in))]
    right = LEFT + step.num_in * scale
    row = y + HEAD - ROW
    for branch in branches:
        thick = max(0.7, branch.size * scale)
        parts.append(_bend(right - branch.size * scale, right, y, row, thick))
        middle = row + thick / 2 + 4
        text = f"{branch.size:,} ({share(branch.size, whole)})"
        parts.append(
            f'<text class="rule" x="{BRANCH_END + 8}" y="{middle:.1f}">{escape(clean(branch.label)[:38])}</text>'
        )
        parts.append(f'<text x="{WIDTH}" y="{middle:.1f}" text-anchor="end">{text}</text>')
        right -= branch.size * scale
        row += max(ROW, thick + 6)
    bottom = max(row + 6, y + HEAD + 8)
    parts.insert(0, _rect(step.num_kept * scale, y, bottom - y))
    return "".join(parts), bottom


def _branches(step: FlowStep) -> list[_Branch]:
    ordered = sorted(((n, rule) for rule, n in step.dropped.items() if n), key=lambda item: (-item[0], item[1]))
    shown = [_Branch(rule, count) for count, rule in ordered]
    if len(shown) > MOST_BRANCHES:
        rest = shown[MOST_BRANCHES - 1 :]
        shown = [*shown[: MOST_BRANCHES - 1], _Branch(f"{len(rest)} other rules", sum(b.size for b in rest))]
    return shown


def _bend(left: float, right: float, top: float, row: float, thick: float) -> str:
    """A slice of the river that turns off to the right at a row."""
    turn, low = right + BEND, row + thick
    return (
        f'<path class="lost" d="M{left:.1f} {top:.1f}V{row - BEND:.1f}Q{left:.1f} {low:.1f} {turn:.1f} {low:.1f}'
        f'H{BRANCH_END}V{row:.1f}H{turn:.1f}Q{right:.1f} {row:.1f} {right:.1f} {row - BEND:.1f}V{top:.1f}Z"/>'
    )


def _rect(width: float, y: float, height: float) -> str:
    return f'<rect class="river" x="{LEFT}" y="{y:.1f}" width="{max(0.7, width):.1f}" height="{height:.1f}"/>'


def _tip(width: float, y: float) -> str:
    """The river's end: an arrow."""
    width = max(0.7, width)
    point = f"L{LEFT + width / 2:.1f} {y + 32:.1f}L{LEFT} {y + 12:.1f}Z"
    return f'<path class="river" d="M{LEFT} {y:.1f}h{width:.1f}v12{point}"/>'


def _left(y: float, name: str, count: str, beside: str) -> str:
    lines = (("strong", name[:24]), ("", count), ("quiet", beside))
    return "".join(
        f'<text class="{kind}" x="{LEFT - 14}" y="{y + 15 * place:.1f}" text-anchor="end">{escape(clean(text))}</text>'
        for place, (kind, text) in enumerate(lines)
        if text
    )


def _bytes(num_bytes: int) -> str:
    return human_bytes(num_bytes) if num_bytes else ""

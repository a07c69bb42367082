"""Commands as the documents give them to a reader."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md")),
    *sorted(file for file in (ROOT / "docs").rglob("*.md") if file.parent.name != "stages"),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TICKS = re.compile(r"`([^`\n]+)`")


def code_in(text: str) -> Iterator[str]:
    """Every line of shell code: lines of blocks without a language or of shell, and inline code."""
    for language, body in FENCE.findall(text):
        if language in ("", "sh", "bash", "console"):
            yield from (line.strip().removeprefix("$ ") for line in body.splitlines())
    yield from TICKS.findall(FENCE.sub("", text))


def said_by(start: str) -> list[tuple[str, str]]:
    """(page, command) for all code that begins with a word, in the order of reading, comments taken off."""
    found = [
        (page.relative_to(ROOT).as_posix(), re.split(r"\s{2,}|\s#", line)[0].strip())
        for page in PAGES
        for line in code_in(page.read_text("utf-8"))
        if re.match(rf"(?:\.venv/bin/)?{start}(?![\w.])", line)
    ]
    return list(dict.fromkeys((page, command.removeprefix(".venv/bin/")) for page, command in found))

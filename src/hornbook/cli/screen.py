"""The terminal that verbs print on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PIPE_COLUMNS = 100


def screen() -> "Console":
    """Standard output as rich sees it: a terminal's own width, 100 columns in a pipe; nothing is recoloured."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, emoji=False, width=PIPE_COLUMNS)
    return console

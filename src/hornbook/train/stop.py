"""A clean stop: Ctrl-C waits for the end of the step, so that what is saved is never half a step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Whether the user has asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """A signal handler: the first signal asks, the second stops at once (the last save is then where to go on)."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def deferred() -> Iterator[Stop]:
    """Signals that stop a program only ask, until the body has ended. Outside the main thread nothing changes."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.ask) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)

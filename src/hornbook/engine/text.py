"""Ids become text piece by piece: nothing is released that a later token could still change."""

import codecs
from collections.abc import Callable


class TextStream:
    """The text of one answer while it is written.

    Bytes that are half a character wait for the rest; text that could be the beginning of a stop text waits until it
    is or is not one. After a stop text nothing more comes out, and the stop text itself never does.
    """

    def __init__(self, token_bytes: Callable[[int], bytes], stop: tuple[str, ...] = ()) -> None:
        """`token_bytes`: the bytes of an id, none for special tokens."""
        self._token_bytes = token_bytes
        self._stop = stop
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._waiting = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """Text that is certain now that this token has come."""
        return self._release(self._decoder.decode(self._token_bytes(token)), final=False)

    def finish(self) -> str:
        """What is left at the end; half a character becomes U+FFFD."""
        return self._release(self._decoder.decode(b"", final=True), final=True)

    def _release(self, text: str, final: bool) -> str:
        if self.stopped:
            return ""
        self._waiting += text
        found = [at for at in (self._waiting.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            ready, self._waiting = self._waiting[: min(found)], ""
            return ready
        keep = 0 if final else self._could_begin_a_stop()
        cut = len(self._waiting) - keep
        ready, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return ready

    def _could_begin_a_stop(self) -> int:
        """Length of the longest end of the waiting text that begins a stop text."""
        longest = 0
        for stop in self._stop:
            for length in range(min(len(stop) - 1, len(self._waiting)), longest, -1):
                if self._waiting.endswith(stop[:length]):
                    longest = length
                    break
        return longest

import os
import signal
import threading

import pytest

from hornbook.train.stop import deferred


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), deferred() as stop:
        assert not stop.asked
        os.kill(os.getpid(), number)
        assert stop.asked
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_other_threads_change_no_handler() -> None:
    found: list[object] = []

    def body() -> None:
        with deferred() as stop:
            found.append((signal.getsignal(signal.SIGINT), stop.asked))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == [(signal.getsignal(signal.SIGINT), False)]

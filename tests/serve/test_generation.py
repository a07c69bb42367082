"""From the engine's thread to the loop and back: order, places, time, cancelling."""

import asyncio
import threading

import pytest
from fake_engine import FakeScheduler

from hornbook.engine.interface import Request
from hornbook.engine.scheduler import Delta
from hornbook.serve.api_error import ApiError
from hornbook.serve.generation import Room, merge


def ask(max_tokens: int = 5) -> Request:
    return Request((9,), max_tokens, seed=1)


def test_merged_pieces_are_their_sum() -> None:
    first = Delta("a", [1], [-0.5], [{1: -0.5}], None)
    last = Delta("bc", [2, 3], [-1.0, -2.0], [{2: -1.0}, {3: -2.0}], "stop")
    whole = merge([first, last])
    assert (whole.text, whole.ids, whole.logps) == ("abc", [1, 2, 3], [-0.5, -1.0, -2.0])
    assert (whole.top, whole.finish_reason) == ([{1: -0.5}, {2: -1.0}, {3: -2.0}], "stop")
    assert merge([Delta("", [], [], None, None), Delta("x", [1], [0.0], None, "length")]).top is None


def test_places_are_taken_and_given_back() -> None:
    async def run() -> None:
        room = Room(FakeScheduler(step_s=0.002), 3, flush_s=0)
        first = room.open([ask(), ask()], 10)
        assert room.num_texts == 2
        late = room.open([ask(150), ask(150)], 10)  # one place is free, so a request may come in whole
        with pytest.raises(ApiError) as caught:
            room.open([ask()], 10)
        assert caught.value.status == 429
        assert [len(text.ids) for text in await first.whole()] == [5, 5]
        assert room.num_texts == 2
        late.cancel()
        late.cancel()
        assert room.num_texts == 0

    asyncio.run(run())


def test_a_refused_text_gives_back_every_place() -> None:
    class Refuses(FakeScheduler):
        def submit(self, request: Request, on_delta: object) -> object:
            if len(self.requests) == 1:
                raise ValueError("no more")
            return super().submit(request, on_delta)  # type: ignore[arg-type]

    async def run() -> None:
        scheduler = Refuses(step_s=0.01)
        room = Room(scheduler, 3, 0)
        with pytest.raises(ValueError, match="no more"):
            room.open([ask(100), ask(100)], 10)
        assert room.num_texts == 0
        assert scheduler.tickets[0].cancelled

    asyncio.run(run())


def test_pieces_from_another_thread_keep_their_order() -> None:
    class Threaded:
        def submit(self, request: Request, on_delta: object) -> object:
            def write() -> None:
                for n in range(2000):
                    on_delta(Delta(f"{n} ", [n], [0.0], None, None))  # type: ignore[operator]
                on_delta(Delta("", [], [], None, "stop"))  # type: ignore[operator]

            threading.Thread(target=write).start()
            return FakeScheduler().submit(ask(1), lambda delta: None)

    async def run() -> list[Delta]:
        return await Room(Threaded(), 9, 0).open([ask(), ask(), ask()], 10).whole()

    for text in asyncio.run(run()):
        assert text.text == "".join(f"{n} " for n in range(2000))
        assert text.ids == list(range(2000))


def test_pieces_travel_together_but_the_first_and_the_last_never_wait() -> None:
    async def run() -> tuple[list[float], list[int]]:
        room = Room(FakeScheduler(step_s=0.001), 9, flush_s=0.1)
        clock = asyncio.get_running_loop().time
        began, at, sizes = clock(), [], []
        async for _, delta in room.open([ask(150)], 10).pieces():
            at.append(clock() - began)
            sizes.append(len(delta.ids))
        return at, sizes

    at, sizes = asyncio.run(run())
    assert sum(sizes) == 150
    assert sizes[0] == 1 and at[0] < 0.05
    assert 3 <= len(sizes) <= at[-1] / 0.1 + 2
    pauses = [later - earlier for earlier, later in zip(at, at[1:], strict=False)]
    assert all(pause > 0.09 for pause in pauses[:-1])


def test_texts_begin_and_end_at_once_however_slow_the_clock() -> None:
    async def run() -> list[tuple[float, int]]:
        room = Room(FakeScheduler(step_s=0.001), 9, flush_s=30)
        clock = asyncio.get_running_loop().time
        began = clock()
        return [
            (clock() - began, len(delta.ids))
            for _ in range(2)  # the second text begins while the clock of the first one runs
            async for _, delta in room.open([ask(30)], 10).pieces()
        ]

    found = asyncio.run(run())
    assert sum(size for _, size in found) == 60 and len(found) <= 6
    assert found[-1][0] < 5


def test_a_reader_that_leaves_early_hears_nothing_more() -> None:
    async def run() -> None:
        scheduler = FakeScheduler(step_s=0.001)
        room = Room(scheduler, 9, 0)
        generation = room.open([ask(10_000)], 10)
        async for _ in generation.pieces():
            break
        generation.cancel()
        assert generation.texts[0].take() is None
        await asyncio.sleep(0.02)
        assert generation.texts[0].take() is None

    asyncio.run(run())


@pytest.mark.parametrize("reason", ["error", "cancelled"])
def test_an_engine_that_gives_up_is_an_error_not_an_answer(reason: str) -> None:
    class GivesUp(FakeScheduler):
        def submit(self, request: Request, on_delta: object) -> object:
            on_delta(Delta("half an ans", [1], [0.0], None, reason))  # type: ignore[operator, arg-type]
            return None

    async def run() -> None:
        await Room(GivesUp(), 9, 0).open([ask()], 10).whole()

    with pytest.raises(ApiError) as caught:
        asyncio.run(run())
    assert caught.value.status == 500

"""From a client's fields to the engine's requests."""

from fake_engine import FakeScheduler, fake_served

from hornbook.serve.sampling import choice_seed, engine_requests, text_ends, turn_ends
from hornbook.serve.session import plain_sampling


def test_seeds_of_choices() -> None:
    assert choice_seed(None, 0) is None and choice_seed(7, 0) == 7
    assert choice_seed(-1, 0) == 2**63 - 1
    seeds = [choice_seed(7, n) for n in range(100)]
    assert len(set(seeds)) == 100
    assert seeds == [choice_seed(7, n) for n in range(100)]


def test_every_prompt_as_often_as_asked_in_order() -> None:
    served = fake_served(FakeScheduler())
    requests = engine_requests([[1], [2]], 2, [10, 20], plain_sampling(seed=3), turn_ends(served.codec))
    assert [(item.ids, item.max_tokens) for item in requests] == [((1,), 10), ((1,), 10), ((2,), 20), ((2,), 20)]
    assert len({item.seed for item in requests}) == 4
    assert requests[0].stop_ids == (4, 2)
    assert text_ends(served.codec) == (2,)

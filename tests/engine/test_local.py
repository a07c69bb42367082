"""Generation against a plain loop over the uncached model, and everything that ends or shapes an answer."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy
import pytest
import torch

from hornbook.core.errors import EngineError
from hornbook.engine.interface import ContextTooLong, Request
from hornbook.engine.local import LocalModel
from hornbook.model.decoder import Decoder

Script = Callable[[list[int]], LocalModel]


def prompts(num: int, seed: int = 1) -> list[tuple[int, ...]]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 40, (num,), generator=generator).tolist()
    return [tuple(torch.randint(5, 261, (length,), generator=generator).tolist()) for length in lengths]


def plain_greedy(decoder: Decoder, ids: tuple[int, ...], num_tokens: int) -> tuple[list[int], list[float]]:
    found, logps = list(ids), []
    with torch.no_grad():
        for _ in range(num_tokens):
            logp_V = torch.log_softmax(decoder(torch.tensor([found]))[0, -1], dim=-1)
            found.append(int(logp_V.argmax()))
            logps.append(float(logp_V.max()))
    return found[len(ids) :], logps


def test_greedy_is_the_plain_loop_for_more_requests_than_slots(local: LocalModel, decoder: Decoder) -> None:
    requests = [Request(ids, 10 + len(ids) % 7, temperature=0.0, ignore_eos=True) for ids in prompts(11)]
    for request, found in zip(requests, local.generate(requests), strict=True):
        ids, logps = plain_greedy(decoder, request.ids, request.max_tokens)
        assert list(found.ids) == ids
        assert found.logp == pytest.approx(logps, abs=1e-4)
        assert found.finish_reason == "length"


@pytest.fixture(params=[1, 2])
def num_threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """Torch's threads for the length of a test."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.usefixtures("num_threads")
def test_neighbours_never_change_a_greedy_text_inside_a_bucket(local: LocalModel) -> None:
    mine = Request(prompts(1)[0], 40, temperature=0.0, ignore_eos=True)
    texts = []
    for seed in range(4):
        others = [Request(ids, 5 + 9 * seed, temperature=0.7, seed=seed) for ids in prompts(3, seed=10 + seed)]
        found = local.generate([mine, *others] if seed % 2 else [*others, mine])
        texts.append(found[0] if seed % 2 else found[-1])
    assert len({text.ids for text in texts}) == 1
    assert all(text.logp == texts[0].logp for text in texts)


def test_a_batch_reuses_the_memory_of_the_last_one(local: LocalModel) -> None:
    mine = [Request(ids, 12, temperature=0.0, ignore_eos=True) for ids in prompts(4)]
    first = local.generate(mine)
    spare = local._spare_cache  # pyright: ignore[reportPrivateUsage]
    second = local.generate(mine)
    assert spare is not None
    assert local._spare_cache is spare  # pyright: ignore[reportPrivateUsage]
    assert [text.logp for text in second] == [text.logp for text in first]
    local.generate(mine[:1])  # a smaller batch uses its first rows
    assert local._spare_cache is spare  # pyright: ignore[reportPrivateUsage]


def test_new_weights_begin_with_a_clean_cache(local: LocalModel, decoder: Decoder) -> None:
    mine = [Request(ids, 12, temperature=0.0, ignore_eos=True) for ids in prompts(4)]
    wanted = local.generate(mine)
    spare = local._spare_cache  # pyright: ignore[reportPrivateUsage]
    assert spare is not None
    for layer in (*spare.k, *spare.v):
        layer.fill_(torch.nan)  # what a model that diverged leaves behind
    local.refresh(decoder)
    assert [text.logp for text in local.generate(mine)] == [text.logp for text in wanted]


def test_a_seed_gives_its_text_whoever_is_beside_it(local: LocalModel) -> None:
    mine = Request(prompts(1)[0], 30, temperature=1.0, top_p=0.9, seed=77, ignore_eos=True)
    alone = local.generate([mine])[0]
    others = [Request(ids, 20, temperature=1.3, seed=index) for index, ids in enumerate(prompts(6, seed=2))]
    assert local.generate([*others, mine])[-1].ids == alone.ids
    assert local.generate([replace(mine, seed=78)])[0].ids != alone.ids


def test_equal_prompts_share_their_reading_and_differ_by_seed(
    local: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [Request(prompts(1)[0], 12, seed=index, ignore_eos=True) for index in range(4)]
    alone = [local.generate([request])[0].ids for request in requests]
    num_read = 0
    read = local.read_prompt

    def counted(*arguments: object) -> torch.Tensor:
        nonlocal num_read
        num_read += 1
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(local, "read_prompt", counted)
    assert [found.ids for found in local.generate(requests)] == alone
    assert num_read == 1 and len(set(alone)) == 4


def test_stop_ids_are_kept_in_the_ids_and_not_in_the_text(scripted: Script) -> None:
    local = scripted([ord("a") + 5, ord("b") + 5, 4, ord("c") + 5])
    found = local.generate([Request((1,), 10, temperature=0.0)])[0]
    assert (found.text, found.ids, found.finish_reason) == ("ab", (102, 103, 4), "stop")
    more = local.generate([Request((1,), 4, temperature=0.0, ignore_eos=True)])[0]
    assert (more.text, more.finish_reason) == ("abc", "length")
    extra = local.generate([Request((1,), 10, temperature=0.0, stop_ids=(103,))])[0]
    assert (extra.text, extra.finish_reason) == ("a", "stop")


def test_stop_texts_cut_the_text_over_token_borders(scripted: Script) -> None:
    local = scripted([byte + 5 for byte in b"Once\nUser: more"])
    found = local.generate([Request((1,), 50, temperature=0.0, stop=("\nUser:",))])[0]
    assert (found.text, found.finish_reason, len(found.ids)) == ("Once", "stop", 10)


def test_an_emoji_over_four_tokens_is_whole_and_half_of_one_is_marked(scripted: Script) -> None:
    local = scripted([byte + 5 for byte in "a🙂".encode()])
    assert local.generate([Request((1,), 50, temperature=0.0)])[0].text == "a🙂"
    assert local.generate([Request((1,), 3, temperature=0.0)])[0].text == "a\ufffd"


def test_the_likeliest_are_reported_where_asked(local: LocalModel, decoder: Decoder) -> None:
    asked, plain = local.generate(
        [Request((7, 8), 3, temperature=0.0, num_logprobs=2, ignore_eos=True), Request((7, 8), 3, temperature=0.0)]
    )
    assert plain.top is None and asked.top is not None
    logp_V = torch.log_softmax(decoder(torch.tensor([[7, 8]]))[0, -1], dim=-1)
    values, ids = logp_V.topk(2)
    assert list(asked.top[0]) == ids.tolist()
    assert list(asked.top[0].values()) == pytest.approx(values.tolist(), abs=1e-4)
    assert asked.top[0][asked.ids[0]] == pytest.approx(asked.logp[0], abs=1e-6)


def test_the_context_is_a_limit_with_a_name(local: LocalModel) -> None:
    assert len(local.generate([Request((9,) * 190, 50, temperature=0.0, ignore_eos=True)])[0].ids) == 10
    with pytest.raises(ContextTooLong, match="200 tokens"):
        local.generate([Request((9,) * 200, 1)])
    with pytest.raises(EngineError, match="token id 999 is outside the vocabulary of 261"):
        local.generate([Request((5, 999), 1)])


def test_nothing_asked_is_nothing_written(local: LocalModel) -> None:
    assert local.generate([]) == []
    empty = local.generate([Request((5,), 0)])[0]
    assert (empty.ids, empty.text, empty.finish_reason) == ((), "", "length")


def test_refresh_takes_over_changed_weights(local: LocalModel) -> None:
    fresh = Decoder(local.settings)
    fresh.initialise(99, embedding_std=0.3, zero_projections=False)
    request = Request((5, 6, 7), 10, temperature=0.0, ignore_eos=True)
    before = local.generate([request])[0].ids
    local.refresh(fresh)
    after = local.generate([request])[0].ids
    assert list(after) == plain_greedy(fresh, (5, 6, 7), 10)[0] and after != before
    with pytest.raises(EngineError, match="other sizes"):
        local.refresh(Decoder(local.settings.model_copy(update={"layers": 1})))


def test_bf16_writes_with_half_and_scores_in_full(decoder: Decoder, local: LocalModel) -> None:
    half = LocalModel(decoder, local.tokenizer, dtype=torch.bfloat16, num_slots=2, compiled=False)
    request = Request((5, 6, 7), 4, temperature=0.0, ignore_eos=True)
    assert half.generate([request])[0].logp == pytest.approx(local.generate([request])[0].logp, abs=0.2)
    assert numpy.array_equal(half.score([[5, 6, 7, 8]])[0], local.score([[5, 6, 7, 8]])[0])
    fresh = Decoder(local.settings)
    fresh.initialise(99, embedding_std=0.3, zero_projections=False)
    half.refresh(fresh)
    assert half.generate([request])[0].ids[0] == plain_greedy(fresh, (5, 6, 7), 1)[0][0]

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.core.errors import SettingsError
from hornbook.model.presets import preset
from hornbook.pretrain import dial
from hornbook.pretrain.dial import Asked, Known, turn

KNOWN = Known(corpus_tokens=0, vocab_size=4096, peak_flops=430e9)


@pytest.mark.parametrize(
    ("text", "wanted"), [("90s", 90), ("15min", 900), ("2h", 7200), (" 0.5 h ", 1800), ("1d", 86400)]
)
def test_times(text: str, wanted: float) -> None:
    assert dial.seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "15", "min", "0s", "-3min", "1 week", "1e3s"])
def test_no_times(text: str) -> None:
    with pytest.raises(SettingsError, match="not a time"):
        dial.seconds(text)


def test_a_given_model_and_flops_by_hand() -> None:
    """1e12 FLOPs at 6 (matrices + head) + 12 L H K (T + 1) / 2 per token, in whole batches."""
    model = preset("story-10m", vocab_size=4096)
    per_token = model.flops_per_token(256)
    choice = turn(Asked(flops=1e12), KNOWN, model=model, row_tokens=256, batch_rows=2)
    assert choice.total_tokens == int(1e12 / per_token // 512) * 512 and choice.model == model


def test_tokens_stay_tokens_and_at_least_one_batch() -> None:
    model = preset("tiny")
    assert turn(Asked(tokens=20_000), KNOWN, model=model, row_tokens=256, batch_rows=8).total_tokens == 18_432
    assert turn(Asked(tokens=10), KNOWN, model=model, row_tokens=256, batch_rows=8).total_tokens == 2048


@settings(max_examples=40, deadline=None)
@given(st.floats(1e11, 1e17), st.sampled_from([0.0, 1e6, 1e8]), st.sampled_from([128, 512]))
def test_flops_are_spent_and_more_of_them_never_shrink_the_model(flops: float, corpus: float, row_tokens: int) -> None:
    known = Known(corpus, 4096, 430e9)
    small, large = (turn(Asked(flops=f), known, row_tokens=row_tokens) for f in (flops, 4 * flops))
    assert large.model.num_parameters() >= small.model.num_parameters()
    assert large.total_tokens >= small.total_tokens or corpus
    spent = small.total_tokens * small.model.flops_per_token(row_tokens)
    assert spent <= flops or small.total_tokens == small.batch_rows * row_tokens


def test_a_small_corpus_makes_a_larger_model_not_more_epochs() -> None:
    free = turn(Asked(flops=4e14), Known(0, 4096, 430e9), row_tokens=512)
    bound = turn(Asked(flops=4e14), Known(2_200_000, 4096, 430e9), row_tokens=512)
    assert bound.model.num_parameters() > free.model.num_parameters()
    assert bound.total_tokens / 2_200_000 < 1.3 * dial.MAX_EPOCHS


def test_time_is_flops_at_the_speed_of_the_chosen_width() -> None:
    timed = turn(Asked(seconds=600), KNOWN, row_tokens=256)
    flops = 600 * 430e9 * dial.peak_frac(timed.model.width)
    again = turn(Asked(flops=flops), KNOWN, model=timed.model, row_tokens=256)
    assert again == timed and 1e6 < timed.model.num_parameters() < 2e7


def test_batches_leave_about_two_thousand_steps() -> None:
    for tokens in (10**7, 10**8, 10**9):
        rows = dial.default_rows(tokens, 512)
        assert 1600 < tokens / (rows * 512) < 3600 and rows & (rows - 1) == 0
    assert dial.default_rows(1000, 4096) == 1

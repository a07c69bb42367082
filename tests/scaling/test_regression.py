"""Families recover functions of their own kind, cross-validation picks them, the search finds known optima."""

import numpy as np
import pytest

from hornbook.scaling.regression import (
    Fit,
    best_mix,
    choose,
    exponential,
    linear,
    logarithmic,
    sample_mixes,
    trees,
    within,
)

NATURAL = np.array([0.6, 0.3, 0.1])
MIXES = sample_mixes(NATURAL, 60, 10.0, 1, "test")
TRUTHS = {
    "linear": lambda w: 2.0 - 0.5 * w[:, 0] + 0.3 * w[:, 2],
    "logarithmic": lambda w: 2.0 - 0.1 * np.log(w[:, 0] + 0.01) - 0.05 * np.log(w[:, 1] + 0.01),
    "exponential": lambda w: 1.2 + np.exp(0.3 - 4.0 * w[:, 0] - 1.0 * w[:, 1]),
}


@pytest.mark.parametrize("name", list(TRUTHS))
def test_each_family_recovers_its_own(name: str) -> None:
    """To a thousandth of the spread on mixes it has not seen; cross-validation chooses it over the others."""
    fits = {"linear": linear, "logarithmic": logarithmic, "exponential": exponential}
    losses, fresh = TRUTHS[name](MIXES), sample_mixes(NATURAL, 200, 10.0, 2, "test")
    found = fits[name](MIXES, losses)(fresh)
    assert np.abs(found - TRUTHS[name](fresh)).max() < 2e-3 * np.ptp(losses)
    law = choose(MIXES, losses, seed=3)
    assert law.name == name and law.rank_correlation > 0.99 and law.error == min(law.errors.values())
    assert set(law.errors) == {"linear", "logarithmic", "exponential", "trees"}


def test_trees_follow_a_step_and_wait_for_enough_mixes() -> None:
    losses = np.where(MIXES[:, 0] > 0.5, 1.0, 2.0)
    assert np.abs(trees(MIXES, losses)(MIXES) - losses).max() < 0.1
    assert choose(MIXES, losses, seed=3).name == "trees"
    assert "trees" not in choose(MIXES[:30], losses[:30], seed=3).errors


def test_a_loss_that_never_changes() -> None:
    law = choose(MIXES, np.full(len(MIXES), 1.5), seed=3)
    assert law.error < 1e-6 and law.rank_correlation == 0.0
    assert law.predict(MIXES[:3]) == pytest.approx([1.5] * 3)


def test_mixes_lie_around_the_natural_one_and_within_their_epochs() -> None:
    mixes = sample_mixes(NATURAL, 3000, 2.0, 1, "test")
    assert mixes.shape == (3000, 3) and np.allclose(mixes.sum(axis=1), 1) and (mixes > 0.02 * NATURAL).all()
    assert (mixes <= 2.0 * NATURAL + 1e-9).all() and (mixes[:, 2] > 0.19).mean() > 0.02
    free = sample_mixes(NATURAL, 3000, 100.0, 1, "test").mean(axis=0)
    assert np.allclose(free, 0.95 * np.sqrt(NATURAL) / np.sqrt(NATURAL).sum() + 0.05 * NATURAL, atol=0.02)
    assert (sample_mixes(NATURAL, 5, 2.0, 1, "test") == mixes[:5]).all()
    assert (sample_mixes(NATURAL, 5, 2.0, 2, "test") != mixes[:5]).any()


def test_what_is_over_goes_to_the_others() -> None:
    """.8 where .2 may be: the .6 fall 1 to 1 on the two others."""
    assert within([0.8, 0.1, 0.1], [0.1, 0.45, 0.45], 2.0) == pytest.approx([0.2, 0.4, 0.4])
    assert within([0.2, 0.8], [0.5, 0.5], 4.0) == pytest.approx([0.2, 0.8], abs=1e-5)
    assert within([0.6, 0.3, 0.1], [0.1, 0.15, 0.75], 1.0) == pytest.approx([0.1, 0.15, 0.75], abs=1e-5)


def test_the_search_finds_a_known_optimum() -> None:
    """A bowl with its lowest point inside: the mean of the best fifty of 20,000 is within two hundredths of it."""
    wanted = np.array([0.3, 0.5, 0.2])
    candidates = sample_mixes(NATURAL, 20_000, 10.0, 1, "candidates")
    found = best_mix(lambda w: ((np.asarray(w) - wanted) ** 2).sum(axis=1), candidates)
    assert np.abs(found - wanted).max() < 0.02
    assert (best_mix(lambda w: np.asarray(w)[:, 0], candidates[:2], most=5) == candidates[:2].mean(axis=0)).all()


def test_errors_are_on_mixes_that_were_left_out() -> None:
    """Pure noise: trees that had seen a mix would know its loss; left out, no family is better than its mean."""
    losses = np.random.default_rng(4).normal(size=len(MIXES))
    assert min(choose(MIXES, losses, seed=3).errors.values()) > 0.9 * losses.std()


@pytest.mark.parametrize(("family", "error"), [(linear, 1e-3), (logarithmic, 0.1), (exponential, 0.02), (trees, 0.02)])
def test_families_take_the_same_mix_several_times(family: Fit, error: float) -> None:
    """As proxies drawn with replacement have it: here 12 mixes, 60 times."""
    generator = np.random.default_rng(1)
    mixes = generator.dirichlet(np.ones(3), 12)[generator.integers(0, 12, 60)]
    losses = 3 - mixes[:, 0]
    assert np.sqrt(np.mean((family(mixes, losses)(mixes) - losses) ** 2)) < error

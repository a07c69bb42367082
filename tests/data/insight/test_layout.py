import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from hornbook.data.insight.layout import affinities, attraction, lay_out, nearest, on_grid, principal, repulsion
from hornbook.data.insight.vectors import fit, project, tf_idf

sys.path.insert(0, str(Path(__file__).parents[1]))
import corpora


def brute_repulsion(places: np.ndarray) -> np.ndarray:
    apart = places[:, None] - places[None]
    kernel = 1 / (1 + (apart**2).sum(-1))
    np.fill_diagonal(kernel, 0)
    return ((kernel**2)[..., None] * apart).sum(1) / kernel.sum()


@pytest.mark.parametrize(("spread", "error"), [(0.01, 1e-6), (1.0, 1e-3), (4.0, 0.02)])
def test_repulsion_on_the_grid_is_that_of_all_pairs(spread: float, error: float) -> None:
    places = np.random.default_rng(5).normal(size=(500, 2)) * spread
    exact = brute_repulsion(places)
    np.testing.assert_allclose(repulsion(places), exact, rtol=1e-9, atol=1e-12)  # so few are compared pair by pair
    assert np.linalg.norm(on_grid(places) - exact) <= error * np.linalg.norm(exact)


def test_attraction_by_hand() -> None:
    links = affinities(np.array([[1], [0], [1]]))
    np.testing.assert_allclose(links.toarray() * 6, [[0, 2, 0], [2, 0, 1], [0, 1, 0]])
    places = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    first = (2 / 6) * np.array([-1.0, 0.0]) / (1 + 1)
    np.testing.assert_allclose(attraction(links, places)[0], first)
    np.testing.assert_allclose(attraction(links, places).sum(axis=0), 0, atol=1e-12)


def test_nearest_rows_by_brute_force() -> None:
    rows = np.random.default_rng(1).normal(size=(80, 5)).astype(np.float32)
    far = ((rows[:, None] - rows[None]) ** 2).sum(-1)
    np.fill_diagonal(far, np.inf)
    assert np.array_equal(nearest(rows, 4), far.argsort(axis=1)[:, :4])


@pytest.mark.filterwarnings("ignore")
def test_neighbours_stay_neighbours_and_bits_stay_bits() -> None:
    documents = corpora.topic_documents(60)
    space, counts = fit([d.text for d in documents], 20, 1000, 0)
    rows = project(tf_idf(counts, space.idf_V), space)
    places = lay_out(rows, steps=150)
    assert places.shape == (240, 2) and np.isfinite(places).all()
    assert trustworthiness(rows, places, n_neighbors=10) > 0.9
    around = nearest(places, 5)
    topics = np.array([list(corpora.TOPICS).index(d.source) for d in documents])
    assert (topics[around] == topics[:, None]).mean() > 0.97
    assert np.array_equal(places, lay_out(rows, steps=150))


def test_copies_and_very_few_rows() -> None:
    same = lay_out(np.ones((30, 4), np.float32), steps=20)
    assert np.isfinite(same).all() and len(np.unique(same, axis=0)) == 30
    for count in (0, 1, 2, 3):
        assert lay_out(np.eye(3, 4, dtype=np.float32)[:count]).shape == (count, 2)
    assert np.isfinite(lay_out(np.eye(4, 4, dtype=np.float32), steps=5)).all()
    assert principal(np.arange(6, dtype=np.float32).reshape(6, 1)).shape == (6, 2)

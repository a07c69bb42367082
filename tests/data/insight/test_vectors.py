import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from hornbook.core.errors import DataError
from hornbook.data.insight.vectors import Space, counts_of, fit, load, project, save, tf_idf, vocabulary, words_of

sys.path.insert(0, str(Path(__file__).parents[1]))
import corpora

TEXTS = [d.text for d in corpora.topic_documents(30)]


def embed(texts: list[str], space: Space) -> np.ndarray:
    return project(tf_idf(counts_of(texts, space.index()), space.idf_V), space)


def test_tf_idf_is_scikit_learns() -> None:
    oracle = TfidfVectorizer(tokenizer=words_of, token_pattern=None, sublinear_tf=True, min_df=2)
    expected = oracle.fit_transform(TEXTS).toarray()
    space, counts = fit(TEXTS, dims=10, most_words=1000, seed=3)
    columns = [oracle.vocabulary_[word] for word in space.words]
    assert sorted(space.words) == sorted(oracle.get_feature_names_out())
    np.testing.assert_allclose(tf_idf(counts, space.idf_V).toarray(), expected[:, columns], atol=1e-6)


def test_vectors_are_those_of_the_exact_decomposition() -> None:
    space, counts = fit(TEXTS, dims=4, most_words=1000, seed=3)  # four topics: the fifth is noise
    matrix = tf_idf(counts, space.idf_V)
    exact = TruncatedSVD(4, algorithm="arpack", random_state=0).fit_transform(matrix)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    ours = project(matrix, space)
    np.testing.assert_allclose(ours @ ours.T, exact @ exact.T, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


def test_the_same_texts_give_the_same_bits_and_survive_the_disk(tmp_path: Path) -> None:
    space, _ = fit(TEXTS, dims=8, most_words=1000, seed=3)
    again, _ = fit(TEXTS, dims=8, most_words=1000, seed=3)
    assert np.array_equal(space.components_VK, again.components_VK)
    save(space, tmp_path)
    loaded = load(tmp_path)
    assert loaded.words == space.words
    np.testing.assert_allclose(embed(TEXTS[:5], loaded), embed(TEXTS[:5], space), atol=2e-3)


def test_words_and_unknown_ones() -> None:
    assert words_of("Don’t STOP, état 3!") == ["don’t", "stop", "état", "3"]
    words, in_docs = vocabulary(["a b", "b c", "b", "c"], most=2)
    assert (words, in_docs.tolist()) == (["b", "c"], [3, 2])
    assert vocabulary(["a b", "b"], most=9)[0] == ["b", "a"]  # so few texts: every word counts
    assert counts_of(["b z b", ""], {"b": 0, "c": 1}).toarray().tolist() == [[2, 0], [0, 0]]
    space, _ = fit(TEXTS, dims=4, most_words=100, seed=0)
    assert not embed(["qqq zzz"], space).any()


def test_too_few_documents_are_refused() -> None:
    with pytest.raises(DataError, match="too few for vectors"):
        fit(["one text", "two texts"], 4, 100, 0)

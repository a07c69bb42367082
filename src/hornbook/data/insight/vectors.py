"""Texts as vectors without a neural network: TF-IDF over known words, then a truncated singular value decomposition.

Source: Salton & Buckley 1988 (TF-IDF), Deerwester et al. 1990 (latent semantic analysis), Halko et al. 2011 (randomised
SVD, scikit-learn's). Vocabulary and idf come from a sample of the corpus; words outside it count for nothing.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import DataError

if TYPE_CHECKING:
    import numpy as np

WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)*")
POWER_ITERATIONS = 3


@dataclass(frozen=True)
class Space:
    """What turns texts into vectors. `idf_V`, `components_VK`: float32; `words`: the V words, the commonest first."""

    words: list[str]
    idf_V: "np.ndarray"
    components_VK: "np.ndarray"

    def index(self) -> dict[str, int]:
        """Word -> its row."""
        return {word: place for place, word in enumerate(self.words)}


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: runs of letters and digits, apostrophes inside.

    >>> words_of("It's 2 o'clock, Snow_White!")
    ["it's", '2', "o'clock", 'snow', 'white']
    """
    return WORD.findall(text.lower())


def vocabulary(texts: Sequence[str], most: int, min_docs: int = 2) -> tuple[list[str], "np.ndarray"]:
    """The words in most documents (at least `min_docs`), the commonest first, and in how many each is (int64)."""
    import numpy as np

    counts = Counter[str]()
    for text in texts:
        counts.update(set(words_of(text)))
    if len(texts) < 2 * min_docs:
        min_docs = 1
    found = sorted(((n, word) for word, n in counts.items() if n >= min_docs), key=lambda item: (-item[0], item[1]))
    return [word for _, word in found[:most]], np.array([n for n, _ in found[:most]], np.int64)


def counts_of(texts: Sequence[str], index: dict[str, int]) -> Any:
    """How often each known word is in each text: a scipy CSR matrix [documents, words], float32."""
    import numpy as np
    import scipy.sparse

    columns: list[int] = []
    values: list[int] = []
    offsets = [0]
    for text in texts:
        found = Counter(place for word in words_of(text) if (place := index.get(word)) is not None)
        columns += sorted(found)
        values += [found[place] for place in columns[offsets[-1] :]]
        offsets.append(len(columns))
    data = (np.array(values, np.float32), np.array(columns, np.int32), np.array(offsets, np.int64))
    return scipy.sparse.csr_matrix(data, shape=(len(texts), len(index)))


def tf_idf(counts: Any, idf_V: "np.ndarray") -> Any:
    """(1 + ln tf) idf, rows of length 1 (rows without words stay zero); changes nothing of `counts`."""
    import numpy as np

    weighted = counts.copy()
    weighted.data = (1 + np.log(weighted.data)) * idf_V[weighted.indices]
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted.data /= np.repeat(np.where(norms > 0, norms, 1), np.diff(weighted.indptr)).astype(np.float32)
    return weighted


def fit(texts: Sequence[str], dims: int, most_words: int, seed: int) -> tuple[Space, Any]:
    """A space of (at most) `dims` dimensions from sample texts, and their counts of words (`counts_of`).

    One thread, so that the same texts give the same bits on any number of cores. Raises DataError for too few texts.
    """
    import numpy as np
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    words, in_docs = vocabulary(texts, most_words)
    if len(texts) < 3 or len(words) < 3:
        raise DataError(
            f"{len(texts)} documents with {len(words)} different words are too few for vectors",
            do="Give at least three documents with some words",
        )
    idf_V = (np.log((1 + len(texts)) / (1 + in_docs)) + 1).astype(np.float32)
    counts = counts_of(texts, {word: place for place, word in enumerate(words)})
    rounds: Any = POWER_ITERATIONS  # the stub knows only "auto"
    with threadpool_limits(1):
        size = min(dims, len(texts) - 1, len(words) - 1)
        found = randomized_svd(tf_idf(counts, idf_V), size, n_iter=rounds, random_state=seed % 2**32)
    return Space(words, idf_V, np.ascontiguousarray(found[2].T.astype(np.float32))), counts


def project(matrix: Any, space: Space) -> "np.ndarray":
    """TF-IDF rows as vectors of length 1 (zero where no word is known): float32 [documents, K]."""
    import numpy as np

    vectors_NK = np.asarray(matrix @ space.components_VK, np.float32)
    norms = np.linalg.norm(vectors_NK, axis=1, keepdims=True)
    return vectors_NK / np.where(norms > 0, norms, 1)


def save(space: Space, folder: Path) -> None:
    """Write words.txt, idf.npy and components.npy (float16) into a folder."""
    import numpy as np

    (folder / "words.txt").write_text("\n".join(space.words) + "\n", encoding="utf-8")
    np.save(folder / "idf.npy", space.idf_V)
    np.save(folder / "components.npy", space.components_VK.astype(np.float16))


def load(folder: Path) -> Space:
    """The space of a folder."""
    import numpy as np

    words = (folder / "words.txt").read_text(encoding="utf-8").split("\n")[:-1]
    return Space(words, np.load(folder / "idf.npy"), np.load(folder / "components.npy").astype(np.float32))

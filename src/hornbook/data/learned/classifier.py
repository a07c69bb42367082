"""A linear text classifier over hashed features, in one small file: scores and calibrated probabilities.

The score of class k is `bias_k + sum of the weights of the text's features / sqrt(number of features)`; probabilities
are `softmax(scale * scores + shift)`, calibrated on texts that the weights have not seen. With two classes the first
has score 0. The file is a safetensors file with one JSON header: any tool reads it, equal models are equal bytes.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import DataError
from hornbook.data.learned.features import Features, Hashed, hashed

if TYPE_CHECKING:
    import numpy as np

FORMAT = "hornbook text classifier 1"


@dataclass(frozen=True, slots=True)
class Counted:
    """The features of some neighbouring texts, counted once for any number of classifiers.

    `counts`: for each family of features a sparse matrix [texts, buckets + 1]; `num_features` [texts].
    """

    counts: list[Any]
    num_features: "np.ndarray"


def counted(texts: list[str], features: Features) -> Iterator[Counted]:
    """The features of texts, chunk by chunk."""
    for _, blocks in hashed(texts, features):
        yield Counted([matrix(block, features) for block in blocks], num_features(blocks, features))


@dataclass(frozen=True)
class Classifier:
    """`weights` [buckets + 1, columns] (the last row is 0), `bias` [columns], `shift` [classes]; two classes have one
    column. `about`: what it was trained on, its measurements on held-out texts, its weightiest features."""

    classes: tuple[str, ...]
    features: Features
    weights: "np.ndarray"
    bias: "np.ndarray"
    scale: float
    shift: "np.ndarray"
    about: dict[str, Any] = field(default_factory=dict[str, Any])

    def scores(self, texts: list[str]) -> "np.ndarray":
        """Scores before calibration [texts, classes]; those of a text do not depend on its neighbours in the list."""
        import numpy as np

        found = [self.scores_of(part) for part in counted(texts, self.features)]
        return np.concatenate([np.zeros((0, len(self.classes))), *found])

    def scores_of(self, part: Counted) -> "np.ndarray":
        """The same of texts whose features are counted."""
        import numpy as np

        sums: Any = sum((counts @ self.weights).astype(np.float64) for counts in part.counts)
        norms = np.sqrt(np.maximum(1, part.num_features))
        found = np.zeros((len(part.num_features), len(self.classes)))
        found[:, 1 if len(self.classes) == 2 else 0 :] = sums / norms[:, None] + self.bias
        return found

    def probabilities(self, texts: list[str]) -> "np.ndarray":
        """Calibrated probabilities [texts, classes]."""
        return self.calibrated(self.scores(texts))

    def calibrated(self, scores: "np.ndarray") -> "np.ndarray":
        """Scores as probabilities [texts, classes]."""
        return softmax(self.scale * scores + self.shift)

    def known_of(self, part: Counted) -> "np.ndarray":
        """The share of each text's features that training has seen: near 0 for texts that it says nothing about."""
        import numpy as np

        seen = (self.weights != 0).any(1, keepdims=True).astype(np.float32)
        sums: Any = sum((counts @ seen)[:, 0] for counts in part.counts)
        return sums / np.maximum(1, part.num_features)

    def save(self, file: Path) -> None:
        """Write the one file; equal classifiers give equal bytes."""
        import numpy as np
        from safetensors.numpy import save

        arrays = {
            "weights": np.ascontiguousarray(self.weights, np.float32),
            "bias": np.ascontiguousarray(self.bias, np.float64),
            "shift": np.ascontiguousarray(self.shift, np.float64),
        }
        header = {
            "format": FORMAT,
            "classes": list(self.classes),
            "features": asdict(self.features),
            "scale": self.scale,
            "about": self.about,
        }
        text = json.dumps(header, ensure_ascii=False, sort_keys=True)
        file.write_bytes(save(arrays, {"classifier": text}))  # one key: safetensors writes several in any order


def load(file: Path) -> Classifier:
    """The classifier in a file. Raises DataError when it is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "numpy") as opened:
            header = json.loads((opened.metadata() or {})["classifier"])
            arrays = {name: opened.get_tensor(name) for name in ("weights", "bias", "shift")}
        if header["format"] != FORMAT:
            raise ValueError(f'its format is "{header["format"]}"')
        return _of(header, arrays)
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(
            f"not a text classifier: {error}", where=str(file), do="Give a classifier.safetensors that a stage wrote"
        ) from None


def _of(header: dict[str, Any], arrays: dict[str, "np.ndarray"]) -> Classifier:
    """The classifier of a header and its arrays. Raises KeyError, TypeError or ValueError for what does not fit."""
    classes, features, about = tuple(header["classes"]), Features(**header["features"]), dict(header["about"])
    columns = 1 if len(classes) == 2 else len(classes)
    shapes = {"weights": (features.num_buckets + 1, columns), "bias": (columns,), "shift": (len(classes),)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} are {arrays[name].shape}, not {shape}")
    return Classifier(
        classes, features, arrays["weights"], arrays["bias"], float(header["scale"]), arrays["shift"], about
    )


def matrix(block: Hashed, features: Features) -> Any:
    """The counts of a block's features [texts, buckets + 1] as a sparse matrix; the last column is for nothing.

    Products with it add each text's weights one after the other, so a text's score has the same bits in any batch.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    ones = np.ones(block.buckets.size, np.float32)
    shape = (len(block.offsets) - 1, features.num_buckets + 1)
    return csr_matrix((ones, block.buckets.ravel(), block.offsets * block.buckets.shape[1]), shape=shape)


def num_features(blocks: list[Hashed], features: Features) -> "np.ndarray":
    """How many features each text has."""
    import numpy as np

    total = np.zeros(len(blocks[0].offsets) - 1, np.int64)
    for block, first in zip(blocks, (1, 2), strict=False):  # words begin with one, characters with two neighbours
        lengths = np.diff(block.offsets)
        for size in range(first, first + block.buckets.shape[1]):
            total += np.maximum(0, lengths - size + 1)
    return total


def softmax(scores: "np.ndarray") -> "np.ndarray":
    """Probabilities along the last axis."""
    import numpy as np

    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)

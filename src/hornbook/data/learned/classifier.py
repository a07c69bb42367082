"""A linear text classifier over hashed features, in one small file: probabilities, and why.

The score of class k is `bias_k + sum of the weights of the text's features / sqrt(number of features)`; probabilities
are `softmax(scale * scores + shift)`, calibrated on texts that the weights have not seen. With two classes the first
has score 0. The file is a safetensors file with one JSON header: any tool reads it, equal models are equal bytes.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import DataError
from hornbook.data.learned.features import Features, Hashed, hashed, spelled

if TYPE_CHECKING:
    import numpy as np

FORMAT = "hornbook text classifier 1"


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

        found = np.zeros((len(texts), len(self.classes)))
        first = 1 if len(self.classes) == 2 else 0
        for part, blocks in hashed(texts, self.features):
            sums = sum((matrix(block, self.features) @ self.weights).astype(np.float64) for block in blocks)
            norms = np.sqrt(np.maximum(1, num_features(blocks, self.features)))
            found[part, first:] = sums / norms[:, None] + self.bias
        return found

    def probabilities(self, texts: list[str]) -> "np.ndarray":
        """Calibrated probabilities [texts, classes]."""
        return softmax(self.scale * self.scores(texts) + self.shift)

    def known(self, texts: list[str]) -> "np.ndarray":
        """The share of each text's features that training has seen: near 0 for texts that it says nothing about."""
        import numpy as np

        seen = (self.weights != 0).any(1, keepdims=True).astype(np.float32)
        found = np.zeros(len(texts))
        for part, blocks in hashed(texts, self.features):
            sums = sum((matrix(block, self.features) @ seen)[:, 0] for block in blocks)
            found[part] = sums / np.maximum(1, num_features(blocks, self.features))
        return found

    def explain(self, text: str, name: str = "", most: int = 20) -> list[tuple[str, float]]:
        """The features of a text that speak most for or against a class (the last one by default).

        Returns (feature, what it adds to the class's calibrated score), the strongest first.
        """
        import numpy as np

        column = self.classes.index(name) if name else len(self.classes) - 1
        sign = -1.0 if len(self.classes) == 2 and column == 0 else 1.0
        weights = self.weights[:, 0 if len(self.classes) == 2 else column]
        totals: Counter[int] = Counter()
        for _, blocks in hashed([text], self.features):
            norm = float(np.sqrt(np.maximum(1, num_features(blocks, self.features))[0]))
            for block in blocks:
                places, counts = np.unique(block.buckets, return_counts=True)
                for bucket, count in zip(places.tolist(), counts.tolist(), strict=True):
                    totals[bucket] += sign * self.scale * float(weights[bucket]) * count / norm
        totals.pop(self.features.num_buckets, None)
        chosen = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))[:most]
        names = spelled([text], self.features, [bucket for bucket, _ in chosen])
        return [(names.get(bucket, "?"), value) for bucket, value in chosen]

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
        features = Features(**header["features"])
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(
            f"not a text classifier: {error}", where=str(file), do="Give a classifier.safetensors that a stage wrote"
        ) from None
    classes = tuple(header["classes"])
    return Classifier(
        classes, features, arrays["weights"], arrays["bias"], header["scale"], arrays["shift"], header["about"]
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

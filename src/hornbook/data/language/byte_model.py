"""py3langid's language model, read once for all processes and walked in numpy.

Its own program steps through a table of states byte by byte in Python. The table is an automaton of n-grams of at most
six bytes (Aho & Corasick 1975), so the state behind a byte depends on the last six bytes alone: six steps, each over
all places of a text at once, give the same states in a sixth of the time.

The arrays (96 MB, of which the program holds another copy in half precision) lie unpacked in the cache folder and are
mapped into memory, so that all workers share one copy and none waits for the unpacking.
"""

import math
import os
import shutil
import tempfile
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.artifact import hash_files
from hornbook.core.recipe import Machine

if TYPE_CHECKING:
    import numpy as np

LAYOUT = 1
"""Raised when the arrays below mean something else, so that old files in a cache are not read."""
ARRAYS = ("moves", "rows", "features", "table", "prior", "languages", "depth")


class ByteModel:
    """Naive Bayes over n-grams of bytes (Lui & Baldwin 2012): the languages that py3langid gives, to the bit."""

    def __init__(self, arrays: "dict[str, np.ndarray]") -> None:
        """`arrays`: moves (rows * 256) the state behind each byte; rows (states) where the moves of a state begin;
        features (states) the n-gram that ends in a state, -1 for none; table (n-grams, languages) log probabilities;
        prior (languages); languages, their codes, some of them twice (two scripts); depth, the longest n-gram."""
        import numpy as np

        self.moves, self.rows, self.features = arrays["moves"], arrays["rows"], arrays["features"]
        self.table, self.prior = arrays["table"], arrays["prior"]
        self.languages: list[str] = arrays["languages"].tolist()
        firsts = map(self.languages.index, self.languages)
        self.twins = [(first, place) for place, first in enumerate(firsts) if first != place]
        self.depth = int(arrays["depth"])
        self._first = np.zeros(len(self.table), np.int32)

    def classify(self, text: str) -> tuple[str, float]:
        """The likeliest language of a text and its probability.

        Source: py3langid 0.4, `LanguageIdentifier.classify` with `norm_probs`: a text in capitals is read in lower
        case, scores are divided by the root of its bytes, scripts of one language are added up.
        """
        import numpy as np

        data = unicodedata.normalize("NFC", text.lower() if text.isupper() else text).encode()
        found, counts = self._counted(self._found(data))
        scores = np.zeros(len(self.languages), np.float32)
        if len(found):
            scores = np.log1p(counts) @ self.table.take(found, axis=0) + self.prior
        scores *= 1.0 / math.sqrt(len(data) or 1)
        np.exp(scores - scores.max(), out=scores)
        scores /= scores.sum()
        for first, second in self.twins:
            scores[first] += scores[second]
            scores[second] = 0.0
        best = int(scores.argmax())
        return self.languages[best], float(scores[best])

    def _found(self, data: bytes) -> "np.ndarray":
        """The n-grams of a text in the order of their ends."""
        import numpy as np

        codes = np.frombuffer(data, np.uint8).astype(np.uint32)
        states = np.zeros(len(codes), np.uint32)
        for back in range(min(self.depth, len(codes)) - 1, -1, -1):
            states[back:] = self.moves.take(self.rows.take(states[back:]) + codes[: len(codes) - back])
        found = self.features.take(states)
        return found[found >= 0]

    def _counted(self, found: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
        """Each n-gram once, in the order of first occurrence (sums of floats depend on it), and how often it occurs."""
        import numpy as np

        places = np.arange(len(found), dtype=np.int32)
        self._first[found[::-1]] = places[::-1]  # what is written last stays: the first place
        once = found[self._first[found] == places]
        self._first[once] = places[: len(once)]
        return once, np.bincount(self._first[found], minlength=len(once)).astype(np.float32)


@cache
def byte_model() -> ByteModel:
    """The model of the installed py3langid, mapped from the cache folder; unpacked there when it is missing."""
    from py3langid.langid import MODEL_DIR, MODEL_FILE

    packed = MODEL_DIR / MODEL_FILE
    try:
        return ByteModel(_shared(packed))
    except OSError:  # no room, or no right to write there
        return ByteModel(_unpacked(packed))


def _shared(packed: Path) -> "dict[str, np.ndarray]":
    folder = Machine().cache_folder / f"langid-{LAYOUT}-{hash_files([packed], packed.parent)}"
    if folder.is_dir():
        try:
            return _mapped(folder)
        except (OSError, ValueError, EOFError):  # a file is gone or was cut
            shutil.rmtree(folder, ignore_errors=True)
    _write(_unpacked(packed), folder)
    return _mapped(folder)


def _mapped(folder: Path) -> "dict[str, np.ndarray]":
    import numpy as np

    return {name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r")) for name in ARRAYS}


def _write(arrays: "dict[str, np.ndarray]", folder: Path) -> None:
    """Write the arrays so that the folder is there whole or not at all, whoever else does the same."""
    import numpy as np

    scratch = Path(tempfile.mkdtemp(prefix=".langid-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(scratch / f"{name}.npy", array)
        if not folder.is_dir():
            os.replace(scratch, folder)
    except OSError:
        if not folder.is_dir():  # somebody else was first
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpacked(packed: Path) -> "dict[str, np.ndarray]":
    import numpy as np
    from py3langid.langid import LanguageIdentifier

    whole: Any = LanguageIdentifier.from_model_file(packed)
    moves = np.frombuffer(whole.tk_nextmove, np.dtype(whole.tk_nextmove.typecode))
    rows = np.array(whole.tk_row, np.uint32)
    return {
        "moves": moves.astype(np.uint32),
        "rows": rows << 8,
        "features": np.array(whole.tk_output, np.int32),
        "table": np.array(whole.nb_ptc, np.float32),  # numpy multiplies half precision five times slower
        "prior": np.array(whole.nb_pc, np.float32),
        "languages": np.array(whole.nb_classes),
        "depth": np.array(_depth(moves.reshape(-1, 256), rows)),
    }


def _depth(moves: "np.ndarray", rows: "np.ndarray") -> int:
    """How many bytes the state farthest from the first one is away: so many decide about a state."""
    import numpy as np

    seen = np.zeros(len(rows), np.bool_)
    seen[0] = True
    depth, border = 0, np.array([0])
    while True:
        reached = np.zeros(len(rows), np.bool_)
        reached[moves[rows[border]]] = True
        border = np.flatnonzero(reached & ~seen)
        if not len(border):
            return depth
        seen |= reached
        depth += 1

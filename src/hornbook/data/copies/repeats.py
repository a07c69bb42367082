"""Repeated passages of at least L tokens: tokens, anchors that every repeat contains, exact windows, what to cut."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hornbook.data.copies.rolling import BASES, Rolling

if TYPE_CHECKING:
    import numpy as np

Unit = Literal["words", "bytes"]


@dataclass(frozen=True)
class Tokens:
    """Tokens of several texts: a hash for each, its bytes in the joined UTF-8 of all, the first token of each text.

    `hashes` uint64 [n]; `begins`, `ends` int64 [n]: bytes counted from the beginning of the token's own text;
    `offsets` int64 [texts + 1].
    """

    hashes: "np.ndarray"
    begins: "np.ndarray"
    ends: "np.ndarray"
    offsets: "np.ndarray"


def tokens(texts: list[str], unit: Unit) -> Tokens:
    """The tokens of each text.

    `words`: runs of ASCII letters, digits and all bytes of other characters (a curly quote, a no-break space), and
    each other visible ASCII character alone; ASCII white space parts them and does not count. `bytes`: every byte of
    UTF-8.
    """
    import numpy as np

    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    data = np.frombuffer(b"\n".join(encoded) + b"\n", np.uint8)
    firsts = np.cumsum([0] + [len(text) + 1 for text in encoded])
    if unit == "bytes":
        inside = np.ones(len(data), bool)
        inside[firsts[1:] - 1] = False
        starts = np.flatnonzero(inside)
        ends = starts + 1
        hashes = _byte_hashes()[data[starts]]
    else:
        kinds = _kinds()[data]
        changes = np.ones(len(data), bool)
        changes[1:] = (kinds[1:] != kinds[:-1]) | (kinds[1:] == 2)
        edges = np.flatnonzero(changes)
        token = kinds[edges] > 0
        starts, ends = edges[token], np.append(edges[1:], len(data))[token]
        hashes = Rolling(data).hashes(starts, ends)
    offsets = np.searchsorted(starts, firsts)
    home = np.repeat(firsts[:-1], np.diff(offsets))
    return Tokens(hashes, starts - home, ends - home, offsets)


def _kinds() -> "np.ndarray":
    """For each byte: 0 white space, 1 part of a word, 2 a mark that stands alone."""
    import numpy as np

    table = np.full(256, 2, np.uint8)
    table[:33] = 0
    table[127] = 0
    table[128:] = 1
    for byte in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_":
        table[byte] = 1
    return table


def _byte_hashes() -> "np.ndarray":
    import numpy as np

    from hornbook.shards.partition import mix

    return mix(np.arange(256, dtype=np.uint64))


def window_starts(offsets: "np.ndarray", length: int) -> "np.ndarray":
    """Where a window of `length` tokens begins that lies inside one text: bool for each token."""
    import numpy as np

    num = int(offsets[-1])
    last = np.maximum(offsets[1:] - length + 1, offsets[:-1])
    return np.cumsum(np.bincount(offsets[:-1], minlength=num + 1) - np.bincount(last, minlength=num + 1))[:num] > 0


def anchors(found: Tokens, length: int) -> tuple["np.ndarray", "np.ndarray"]:
    """Positions and hashes of chosen stretches, of which every window of `length` tokens contains one.

    Of the stretches of length // 2 tokens in a window the one with the least hash is chosen, wherever the window
    stands: two equal windows choose the same, so a repeat shows as a repeated anchor. Source: winnowing (Schleimer,
    Wilkerson, Aiken 2003), section 3; all of equal least hashes are chosen.
    """
    import numpy as np

    starts = window_starts(found.offsets, length)
    if not starts.any():
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    size = max(1, length // 2)
    per_window = length - size + 1
    begins = np.arange(len(starts) - size + 1)
    hashes = Rolling(found.hashes).hashes(begins, begins + size)
    least = _sliding(hashes, per_window, np.minimum)
    least = np.where(starts[: len(least)], least, 0)
    padded = np.concatenate((np.zeros(per_window - 1, np.uint64), least, np.zeros(per_window - 1, np.uint64)))
    chosen = np.flatnonzero(_sliding(padded, per_window, np.maximum)[: len(hashes)] == hashes)
    return chosen, hashes[chosen]


def _sliding(values: "np.ndarray", width: int, pick: "np.ufunc") -> "np.ndarray":
    """The least (or greatest) of every `width` neighbours, in log2(width) steps."""
    done = 1
    while done < width:
        step = min(done, width - done)
        values = pick(values[: len(values) - step], values[step:])
        done += step
    return values


def windows_with(found: Tokens, repeated: "np.ndarray", length: int) -> "np.ndarray":
    """Positions of the windows of `length` tokens that contain one of the `repeated` anchors (positions, ascending)."""
    import numpy as np

    per_window = length - max(1, length // 2) + 1
    num = len(found.hashes)
    begins = np.bincount(np.maximum(repeated - per_window + 1, 0), minlength=num + 1)
    near = np.cumsum(begins - np.bincount(repeated + 1, minlength=num + 1))[:num] > 0
    return np.flatnonzero(near & window_starts(found.offsets, length))


def window_keys(found: Tokens, windows: "np.ndarray", length: int) -> "np.ndarray":
    """128 bits for each window [windows, 2]: equal for equal tokens, and for others with probability 2^-128 or so."""
    import numpy as np

    from hornbook.shards.partition import mix

    other = mix(found.hashes ^ np.uint64(BASES[1]))
    keys = [Rolling(found.hashes, BASES[0]), Rolling(other, BASES[1])]
    return np.stack([rolling.hashes(windows, windows + length) for rolling in keys], axis=1)


def covered(windows: "np.ndarray", length: int) -> list[tuple[int, int]]:
    """Runs of tokens (first, one after the last) that windows beginning at these ascending positions cover.

    >>> import numpy as np
    >>> covered(np.array([2, 3, 9]), 4)
    [(2, 7), (9, 13)]
    """
    import numpy as np

    if not len(windows):
        return []
    apart = np.flatnonzero(np.diff(windows) > length) + 1
    firsts, lasts = windows[np.concatenate(([0], apart))], windows[np.concatenate((apart - 1, [len(windows) - 1]))]
    return list(zip(firsts.tolist(), (lasts + length).tolist(), strict=True))


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text without stretches of its UTF-8 bytes; what was parted is joined by one space, or one line end if the
    white space there had one.

    >>> without("One fox. Two hens.\\nThree cats.", [(9, 18)])
    'One fox.\\nThree cats.'
    """
    data = text.encode("utf-8", "surrogatepass")
    parts: list[str] = []
    at = 0
    for begin, end in [*spans, (len(data), len(data))]:
        while begin < end and data[begin] & 0xC0 == 0x80:  # whole characters stay whole
            begin += 1
        while begin < end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        parts.append(data[at:begin].decode("utf-8", "surrogatepass"))
        at = end
    return _joined(parts) if spans else text


def _joined(parts: list[str]) -> str:
    """Parts of a text with one space or line end between them where there was white space."""
    pieces: list[str] = []
    gap = ""
    for part in parts:
        right = part.lstrip()
        gap += part[: len(part) - len(right)]
        if right:
            kept = right.rstrip()
            pieces += ["\n" if "\n" in gap else " " if gap else "", kept]
            gap = right[len(kept) :]
    return "".join(pieces[1:])

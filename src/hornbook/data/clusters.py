"""From signatures to groups of duplicates: bands, candidate pairs, connected components, the copy to keep."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def band_pairs(keys: "np.ndarray") -> "np.ndarray":
    """Candidate pairs of one band: documents with equal keys, each with the first and with the previous of its bucket.

    `keys`: uint64, one for each document, in the documents' order. Returns int64 pairs [n, 2], smaller number first.
    All pairs of a bucket of k would be k²/2; star and chain are 2k, join the bucket just as well when its documents
    are alike, and documents that are alike meet in other bands too.
    """
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    same = ordered[1:] == ordered[:-1]
    if not same.any():
        return np.zeros((0, 2), np.int64)
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    sizes = np.diff(np.concatenate((starts, [len(keys)])))
    first = np.repeat(starts, sizes)[1:][same]
    later = np.flatnonzero(same) + 1
    chain = np.stack((order[later - 1], order[later]), axis=1)
    star = np.stack((order[first], order[later]), axis=1)
    return np.unique(np.concatenate((chain, star)), axis=0)


def same_groups(high: "np.ndarray", low: "np.ndarray") -> "np.ndarray":
    """For each document the number of the first one with the same 128-bit hash (two uint64)."""
    import numpy as np

    order = np.lexsort((np.arange(len(high)), low, high))
    new = np.ones(len(high), bool)
    new[1:] = (high[order][1:] != high[order][:-1]) | (low[order][1:] != low[order][:-1])
    starts = np.flatnonzero(new)
    group = np.empty(len(high), np.int64)
    group[order] = order[starts][np.cumsum(new) - 1]
    return group


def components(num_documents: int, pairs: "np.ndarray") -> "np.ndarray":
    """A label for each document: documents joined by pairs, directly or through others, share one."""
    import numpy as np
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.arange(num_documents)
    ones = np.ones(len(pairs), np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(num_documents, num_documents))
    return connected_components(graph, directed=False)[1]


def best_of_each(labels: "np.ndarray", lengths: "np.ndarray", ids: "np.ndarray") -> "np.ndarray":
    """For each document the number of the copy to keep in its group: the longest, among equals the lowest id."""
    import numpy as np

    order = np.lexsort((ids, -lengths.astype(np.int64), labels))
    ordered = labels[order]
    new = np.ones(len(labels), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    best = np.empty(len(labels), np.int64)
    best[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return best

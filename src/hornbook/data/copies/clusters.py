"""From signatures to groups of duplicates: bands, candidate pairs, connected components, the copy to keep."""

from typing import TYPE_CHECKING

from hornbook.shards.partition import grouped

if TYPE_CHECKING:
    import numpy as np

NEIGHBOURS = 3


def band_pairs(keys: "np.ndarray") -> "list[np.ndarray]":
    """Candidate pairs of one band: documents with equal keys, each with the first of its bucket and the previous three.

    `keys`: uint64, one for each document, in the documents' order. Returns int64 pairs [n, 2], smaller number first:
    those with the first, those with the previous, with the one before it, and with the third. Buckets of up to five
    give all their pairs. All pairs of a bucket of k would be k²/2; star and chain are 4k, join the bucket just as well
    when its documents are alike, and documents that are alike meet in other bands too.
    """
    import numpy as np

    order, starts = grouped(keys)
    first = np.repeat(starts, np.diff(np.concatenate((starts, [len(keys)]))))
    later = np.flatnonzero(first != np.arange(len(keys)))
    pairs = [np.stack((order[first[later]], order[later]), axis=1)]
    for back in range(1, NEIGHBOURS + 1):
        there = later[later - back > first[later]]
        pairs.append(np.stack((order[there - back], order[there]), axis=1))
    return pairs


def first_of_each(keys: "np.ndarray") -> "np.ndarray":
    """For each row of `keys` (uint64 [n, words]) the number of the first row that is equal to it."""
    import numpy as np

    order = np.lexsort((np.arange(len(keys)), *keys.T))
    ordered = keys[order]
    new = np.ones(len(keys), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.empty(len(keys), np.int64)
    group[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
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
    return connected_components(graph, directed=False)[1].astype(np.int64)


def best_of_each(labels: "np.ndarray", ranks: "np.ndarray", ids: "np.ndarray") -> "np.ndarray":
    """For each document the number of the copy to keep in its group: the highest rank, among equals the lowest id."""
    import numpy as np

    best = np.arange(len(labels))
    order, starts = _members(labels, ranks, ids)
    best[order] = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    return best


def groups(labels: "np.ndarray", ranks: "np.ndarray", ids: "np.ndarray") -> "list[np.ndarray]":
    """The documents of each label that more than one has, the best first: highest rank, then lowest id, then first."""
    import numpy as np

    order, starts = _members(labels, ranks, ids)
    return np.split(order, starts[1:]) if len(order) else []


def _members(labels: "np.ndarray", ranks: "np.ndarray", ids: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
    """The documents of labels that more than one has, label by label, the best first; where each label begins."""
    import numpy as np

    _, label, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    members = np.flatnonzero(sizes[label] > 1)
    order = members[np.lexsort((members, ids[members], -ranks[members], label[members]))]
    return order, np.flatnonzero(np.diff(label[order], prepend=-1))

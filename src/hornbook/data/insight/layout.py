"""Vectors laid out on a plane so that neighbours stay neighbours: t-SNE with repulsion by FFT.

Source: van der Maaten & Hinton 2008 (t-SNE); Linderman et al. 2019 (FIt-SNE: repulsion interpolated on a grid);
Kobak & Berens 2019 and Belkina et al. 2019 (start from principal components, learning rate n / exaggeration);
Böhm et al. 2022 (equal weights for the nearest neighbours; exaggeration in the end gives tighter groups).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

ALL_PAIRS_ROWS = 700
NODES = 3
MIN_BOXES, MAX_BOXES = 40, 160
EARLY_STEPS, EARLY_EXAGGERATION = 250, 12.0
LATE_STEPS = 400
START_SPREAD = 1e-4
MIN_GAIN = 0.01


def lay_out(
    vectors_NK: "np.ndarray",
    num_neighbours: int = 15,
    exaggeration: float = 1.0,
    steps: int = LATE_STEPS,
    advance: "Callable[[int], None] | None" = None,
) -> "np.ndarray":
    """Places on a plane, float32 [N, 2], centred. The same vectors give the same bits: no randomness, one thread.

    `advance` is called once for each of the EARLY_STEPS + `steps` steps.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    if len(vectors_NK) < 4:
        return np.array([[0, 0], [1, 0], [0, 1]], np.float32)[: len(vectors_NK)]
    with threadpool_limits(1):
        links = affinities(nearest(vectors_NK, min(num_neighbours, len(vectors_NK) - 1)))
        places = principal(vectors_NK) * START_SPREAD
        velocity, gains = np.zeros_like(places), np.ones_like(places)
        for step in range(EARLY_STEPS + steps):
            early = step < EARLY_STEPS
            strength = EARLY_EXAGGERATION if early else exaggeration
            slope = strength * attraction(links, places) - repulsion(places)
            same = np.sign(slope) == np.sign(velocity)
            gains = np.maximum(np.where(same, gains * 0.8, gains + 0.2), MIN_GAIN)
            rate = max(50.0, len(places) / strength / 4)
            velocity = (0.5 if early else 0.8) * velocity - rate * 4 * gains * slope
            places = places + velocity
            places -= places.mean(axis=0)
            if advance is not None:
                advance(1)
    return places.astype(np.float32)


def nearest(vectors_NK: "np.ndarray", num_neighbours: int) -> "np.ndarray":
    """The nearest other rows of each row (exact, Euclidean): int [N, num_neighbours]."""
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(n_neighbors=num_neighbours, algorithm="brute").fit(vectors_NK)
    return finder.kneighbors(return_distance=False)


def affinities(neighbours: "np.ndarray") -> Any:
    """Equal weights along the nearest neighbours, made symmetric, with sum 1: a scipy CSR matrix [N, N]."""
    import numpy as np
    import scipy.sparse

    count, each = neighbours.shape
    offsets = np.arange(0, count * each + 1, each)
    one_way = scipy.sparse.csr_matrix((np.ones(count * each), neighbours.ravel(), offsets), shape=(count, count))
    both: Any = (one_way + one_way.T).tocsr()
    both.sort_indices()
    both.data /= both.data.sum()
    return both


def principal(vectors_NK: "np.ndarray") -> "np.ndarray":
    """The first two principal components, the first with standard deviation 1; signs fixed by the largest weight."""
    import numpy as np

    centred = vectors_NK.astype(np.float64) - vectors_NK.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    places = centred @ axes
    if places.shape[1] == 1:
        places = np.column_stack([places, np.zeros(len(places))])
    # Copies of one text would stay in one place for ever: rows are told apart by a step far below the spread.
    apart = np.column_stack([np.arange(len(places)), np.arange(len(places))[::-1] * 0.618 % 1 * len(places)])
    return places / (places[:, 0].std() or 1.0) + 1e-3 * apart / len(places)


def attraction(links: Any, places: "np.ndarray") -> "np.ndarray":
    """For each place the sum over its links of weight (a - b) / (1 + |a - b|²)."""
    import numpy as np
    import scipy.sparse

    rows = np.repeat(np.arange(len(places)), np.diff(links.indptr))
    x, y = np.ascontiguousarray(places[:, 0]), np.ascontiguousarray(places[:, 1])
    far = 1 + (x[rows] - x[links.indices]) ** 2 + (y[rows] - y[links.indices]) ** 2
    pull = scipy.sparse.csr_matrix((links.data / far, links.indices, links.indptr), shape=links.shape)
    return np.asarray(pull.sum(axis=1)) * places - pull @ places


def repulsion(places: "np.ndarray") -> "np.ndarray":
    """For each place the sum over all others of (a - b) / (1 + |a - b|²)², over the sum of 1 / (1 + |a - b|²)."""
    return _of_all_pairs(places) if len(places) <= ALL_PAIRS_ROWS else on_grid(places)


def _of_all_pairs(places: "np.ndarray") -> "np.ndarray":
    import numpy as np

    x, y = places[:, 0, None] - places[:, 0], places[:, 1, None] - places[:, 1]
    near = 1 / (1 + x * x + y * y)
    total = float(near.sum()) - len(places)
    near *= near
    return np.column_stack([(near * x).sum(axis=1), (near * y).sum(axis=1)]) / max(total, 1e-12)


def on_grid(places: "np.ndarray") -> "np.ndarray":
    """The same, in time that grows with the number of places and not with its square.

    Kernels are interpolated on a grid (NODES Lagrange nodes in each box) and convolved by FFT.
    """
    import numpy as np
    import scipy.fft

    low, span = places.min(axis=0), float(np.ptp(places, axis=0).max()) or 1.0
    num_boxes = int(np.clip(np.ceil(span), MIN_BOXES, MAX_BOXES))
    size = num_boxes * NODES
    weights = _interpolation(places, low, span * (1 + 1e-9) / num_boxes, num_boxes)
    charges = np.column_stack([np.ones(len(places)), places])
    grid = np.asarray(weights.T @ charges).T.reshape(3, size, size)
    fft: Any = scipy.fft  # its stubs hide what the functions return
    padded = int(fft.next_fast_len(2 * size, real=True))
    offset = np.minimum(np.arange(padded), padded - np.arange(padded)) * (span / size)
    near = 1 / (1 + offset[:, None] ** 2 + offset[None, :] ** 2)
    shape = (padded, padded)
    spectra = fft.rfft2(grid, s=shape)
    square = fft.rfft2(near * near) * spectra
    plain = fft.rfft2(near) * spectra[0]
    fields = fft.irfft2(np.concatenate([square, plain[None]]), s=shape)[:, :size, :size]
    felt = weights @ fields.reshape(4, -1).T
    total = float(felt[:, 3].sum()) - len(places)
    return (felt[:, :1] * places - felt[:, 1:3]) / max(total, 1e-12)


def _interpolation(places: "np.ndarray", low: "np.ndarray", width: float, num_boxes: int) -> Any:
    """Lagrange weights of each place at the nodes around it: a scipy CSR matrix [N, nodes of the grid]."""
    import numpy as np
    import scipy.sparse

    scaled = (places - low) / width
    box = np.clip(scaled.astype(np.int64), 0, num_boxes - 1)
    inside = scaled - box
    nodes = (np.arange(NODES) + 0.5) / NODES
    one_way = np.ones((*places.shape, NODES))
    for node in range(NODES):
        for other in range(NODES):
            if other != node:
                one_way[:, :, node] *= (inside - nodes[other]) / (nodes[node] - nodes[other])
    columns = box[:, :, None] * NODES + np.arange(NODES)
    flat = (columns[:, 0, :, None] * (num_boxes * NODES) + columns[:, 1, None, :]).reshape(len(places), -1)
    values = (one_way[:, 0, :, None] * one_way[:, 1, None, :]).reshape(len(places), -1)
    offsets = np.arange(0, flat.size + 1, NODES * NODES)
    return scipy.sparse.csr_matrix(
        (values.ravel(), flat.ravel(), offsets), shape=(len(places), (num_boxes * NODES) ** 2)
    )

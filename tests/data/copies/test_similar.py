from pathlib import Path

import numpy as np
import pytest

from hornbook.data.copies import similar
from hornbook.data.copies.similar import Sets, settle


def sets(folder: Path, values: list[list[int]], shard: int = 2) -> Sets:
    """Shingles of documents in files of `shard` documents."""
    names = [f"{n:05d}" for n in range(-(-len(values) // shard))]
    for number, name in enumerate(names):
        here = values[number * shard : (number + 1) * shard]
        np.array([v for value in here for v in value], np.uint64).tofile(folder / f"{name}.shingles")
        np.save(folder / f"{name}.sizes.npy", np.array([len(value) for value in here]))
    starts = np.minimum(np.arange(len(names) + 1) * shard, len(values))
    return Sets(folder, names, starts, np.arange(len(values)))


def settled(found: Sets, ranks: list[float], least: float) -> list[tuple[int, float, int]]:
    gone: list[tuple[int, float, int]] = []
    ids = np.array([f"{n}".encode() for n in range(len(ranks))])
    settle(np.zeros(len(ranks), int), np.array(ranks), ids, found, least, lambda *item: gone.append(item))
    return gone


def test_sets_come_from_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "MAX_OPEN", 1)
    values = [[1, 5], [], [2, 3, 9], [4], [7, 8]]
    found = sets(tmp_path, values)
    assert [found[n].tolist() for n in (4, 0, 2, 1, 3, 0)] == [[7, 8], [1, 5], [2, 3, 9], [], [4], [1, 5]]
    found.close()


def test_a_copy_only_of_copies_stays_when_it_is_too_different(tmp_path: Path) -> None:
    # a chain: neighbours share 4 of 6 (J = 2/3), those two apart 3 of 7 (3/7), ends 2 of 8 (1/4)
    found = sets(tmp_path, [[n, n + 1, n + 2, n + 3, n + 4] for n in range(4)])
    assert settled(found, [9, 1, 1, 1], 0.0) == [(1, pytest.approx(2 / 3), 0), (2, 3 / 7, 0), (3, 1 / 4, 0)]
    assert settled(found, [9, 1, 1, 1], 1 / 4)[-1] == (3, 1 / 4, 0)  # the least is enough
    assert settled(found, [9, 1, 1, 1], 0.4) == [(1, pytest.approx(2 / 3), 0), (2, 3 / 7, 0)]
    # the best of the rest stays and takes its own with it
    assert settled(found, [9, 1, 2, 1], 0.5) == [(1, pytest.approx(2 / 3), 0), (3, pytest.approx(2 / 3), 2)]
    assert settled(found, [1, 1, 1, 9], 1.0) == []

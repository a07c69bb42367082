import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbook.data.copies import similar
from hornbook.data.copies.similar import Sets, crowd_pairs, settle


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
    found.close()
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


def test_copies_among_the_rest_of_a_great_group_go_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six that resemble nothing, and a copy of each that shares 19 of 21; the first two are settled in rounds."""
    values = [[100 * n + k for k in range(20)] for n in range(6)]
    copies = [value[:-1] + [value[-1] + 1] for value in values]
    found = sets(tmp_path, values + copies)
    monkeypatch.setattr(similar, "MAX_ROUNDS", 2)
    gone = settled(found, [12.0 - n for n in range(12)], 0.5)
    assert sorted(gone) == [(6 + n, pytest.approx(19 / 21), n) for n in range(6)]
    assert sorted(settled(found, [12.0 - n for n in range(12)], 0.91)) == []


def test_the_rest_is_compared_with_a_few_and_the_best_of_them_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third shares its least shingles with the first and one more with the second, which is more like it."""
    values = [[1, 2, 3, 50, 51, 52, 53], [4, 5, 6, 7, 8, 9, 60], [1, 2, 4, 5, 6, 7, 8, 9]]
    monkeypatch.setattr(similar, "MAX_ROUNDS", 0)
    assert settled(sets(tmp_path, values), [3, 2, 1], 0.1) == [(2, pytest.approx(6 / 9), 1)]


def test_of_the_rest_the_better_one_is_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least shingle of the first is the second's too, which is unlike it."""
    values = [[1, *range(10, 19)], [1, *range(20, 29)], [1, *range(10, 18)]]
    monkeypatch.setattr(similar, "MAX_ROUNDS", 0)
    monkeypatch.setattr(similar, "SKETCH", 1)
    assert settled(sets(tmp_path, values), [3, 2, 1], 0.5) == [(2, 0.9, 0)]


class Counted:
    """Sets that count how often one is read."""

    def __init__(self, values: list[list[int]]) -> None:
        self.values = values
        self.num_read = 0

    def __getitem__(self, number: int) -> np.ndarray:
        self.num_read += 1
        return np.array(self.values[number], np.uint64)


@pytest.mark.parametrize(("remembered", "again"), [(similar.MAX_REMEMBERED, 0), (1, 4)])
def test_different_pairs_are_compared_once_as_far_as_they_are_remembered(
    remembered: int, again: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "MAX_REMEMBERED", remembered)
    found: Any = Counted([[1, 2], [1, 2], [7, 8], [9]])
    pairs = np.array([[0, 1], [0, 2], [2, 3]])
    labels, different = similar._join(np.arange(4), pairs, found, 0.9, np.zeros(0, np.uint64))
    assert labels[0] == labels[1] and len(set(labels.tolist())) == 3
    found.num_read = 0
    labels, _ = similar._join(labels, pairs, found, 0.9, different)
    assert found.num_read == again and len(set(labels.tolist())) == 3


def test_what_two_pages_of_a_template_share_besides_makes_them_a_pair() -> None:
    """Eight pages with 40 common shingles and five of their own; 2 and 6 have two of those in common, 5 joins 6."""
    values = [[*range(40), *range(100 * n + 100, 100 * n + 105)] for n in range(8)]
    values[6] = sorted(values[6][:-2] + values[2][-2:])
    values[5] = values[6]
    counted: Any = Counted(values)
    stars = np.array([[0, n] for n in range(1, 8)])
    assert np.unique(crowd_pairs(stars, np.arange(8), counted, 3), axis=0).tolist() == [[2, 5], [5, 6]]
    joined = np.array([0, 1, 2, 3, 4, 5, 5, 7])
    assert np.unique(crowd_pairs(stars, joined, counted, 3), axis=0).tolist() == [[2, 5]]
    five = stars[[1, 3, 4, 5]]  # all of their pairs are there already
    assert len(crowd_pairs(five, np.arange(8), counted, 3)) == 0
    counted.values.clear()  # joined ones are not read
    assert len(crowd_pairs(stars, np.zeros(8, int), counted, 3)) == 0


def test_files_of_many_shards_are_not_held_open(tmp_path: Path) -> None:
    names = [f"{n:05d}" for n in range(100)]
    for number, name in enumerate(names):
        np.save(tmp_path / f"{name}.bands.npy", np.array([[number // 2], [number]], np.uint64))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_open = set(map(int, os.listdir("/proc/self/fd")))
    free = [number for number in range(1000) if number not in is_open]
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[30], before[1]))  # thirty more
    try:
        wanted, num_bands = similar._propose(tmp_path, names, np.arange(100), 100)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert wanted.all() and num_bands == 2
    assert np.load(tmp_path / "pairs.000.0.npy").tolist() == [[n, n + 1] for n in range(0, 100, 2)]

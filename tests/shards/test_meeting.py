import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.core.artifact import scratch_out
from hornbook.core.recipe import Machine
from hornbook.shards.meeting import answers, equal_keys, meet, num_partitions, send
from hornbook.shards.runner import run_shards
from hornbook.shards.shard import Shard
from hornbook.shards.workspace import Workspace


def send_shard(work: Workspace, inputs: dict[str, Any], common: int) -> dict[str, Any]:
    keys = np.array(inputs["keys"], np.uint64)
    send(work, "k", keys, common)
    return {}


def ask(folder: Path, keys: list[list[Any]], partitions: int, workers: int = 1, words: int = 1) -> list[list[Any]]:
    """The answers for the keys of each shard."""
    out = scratch_out(folder, machine=Machine(workers=workers))
    names = [f"{n:05d}" for n in range(len(keys))]
    shards = [Shard(name, {"keys": k}) for name, k in zip(names, keys, strict=True)]
    run_shards(send_shard, shards, out, label="send", common=partitions)
    meet(out, "k", names, partitions, "", words)
    return [answers(folder, "k", name, number).tolist() for number, name in enumerate(names)]


def by_hand(keys: list[list[Any]]) -> list[list[list[int]]]:
    total: Counter[Any] = Counter(str(k) for shard in keys for k in shard)
    before: Counter[Any] = Counter()
    found: list[list[list[int]]] = []
    for shard in keys:
        found.append([])
        for key in shard:
            found[-1].append([total[str(key)], before[str(key)]])
            before[str(key)] += 1
    return found


def test_equal_keys_of_all_shards_meet(tmp_path: Path) -> None:
    keys = [[5, 7, 5], [], [7, 9, 5], [2**64 - 1]]
    assert ask(tmp_path, keys, 3) == [[[3, 0], [2, 0], [3, 1]], [], [[2, 1], [1, 0], [3, 2]], [[1, 0]]]


def test_keys_of_two_words_are_equal_only_whole(tmp_path: Path) -> None:
    keys = [[[1, 2], [1, 3]], [[1, 2], [2, 1]]]
    assert ask(tmp_path, keys, 2, words=2) == by_hand(keys) == [[[2, 0], [1, 0]], [[2, 1], [1, 0]]]


def test_partitions_and_workers_change_no_answer(tmp_path: Path) -> None:
    generator = random.Random(4)
    keys = [[generator.randrange(40) for _ in range(generator.randrange(60))] for _ in range(7)]
    expected = by_hand(keys)
    assert [ask(tmp_path / str(n), keys, n, workers=1 + n % 2) for n in (1, 2, 9)] == [expected] * 3


def test_a_key_that_all_have_costs_one_row_for_each_shard(tmp_path: Path) -> None:
    keys = [[5] * 1000 + [n] for n in (7, 8)]
    assert ask(tmp_path, keys, 1) == by_hand(keys)
    assert (tmp_path / "00000.k.keys").stat().st_size == 2 * 8
    assert (tmp_path / "k.0000.answers").stat().st_size == 4 * 8
    double = [[[5, 5]] * 1000, [[5, 6]] * 10 + [[5, 5]]]
    assert ask(tmp_path / "two", double, 2, words=2) == by_hand(double)
    assert (tmp_path / "two/00001.k.keys").stat().st_size == 2 * 16


@examples(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), max_size=30))
def test_the_same_answers_as_by_hand(rows: list[tuple[int, int, int]]) -> None:
    keys = np.array([row[:2] for row in rows], np.uint64).reshape(-1, 2)
    answers_by_hand = iter(by_hand([[row[:2] for row in rows for _ in range(row[2])]])[0])
    expected = [[next(answers_by_hand) for _ in range(row[2])][0] for row in rows]
    assert equal_keys(keys, np.array([row[2] for row in rows], np.uint32)).tolist() == expected


def test_number_of_partitions() -> None:
    assert [num_partitions(n, 10) for n in (0, 1, 10, 11, 10**9)] == [1, 1, 1, 2, 4096]

import numpy as np

from hornbook.shards.partition import mix, partition_of, partitions_of


def test_the_partition_of_a_key_never_changes() -> None:
    # the last digits of BLAKE2b-64 (`b2sum -l 64`) read little-endian
    assert [partition_of(key, 10) for key in ("fox", "hen", "")] == [6, 3, 6]
    assert partition_of("fox", 1) == 0
    counts = np.bincount([partition_of(str(i), 8) for i in range(4000)], minlength=8)
    assert counts.min() > 400 and counts.max() < 600


def test_mix_is_splitmix64() -> None:
    # the first outputs of SplitMix64 for seed 0 (Vigna's reference program): state advances by the golden gamma
    first = mix(np.array([0], np.uint64))
    second = mix(np.array([0x9E3779B97F4A7C15], np.uint64))
    assert int(first[0]) == 0xE220A8397B1DCDAF
    assert int(second[0]) == 0x6E789E6AA1B965F4


def test_equal_keys_meet_and_others_spread() -> None:
    keys = np.arange(10_000, dtype=np.uint64) // np.uint64(2)
    parts = partitions_of(keys, 16)
    assert (parts[::2] == parts[1::2]).all()
    assert np.bincount(parts, minlength=16).min() > 450

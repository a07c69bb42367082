import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.core.artifact import payload_hash, scratch_out
from hornbook.core.document import Document, read_documents
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import substring_dedup
from hornbook.data.ledger import read_funnel

sys.path.insert(0, str(Path(__file__).parent))
from test_dedup import artifact, identity, prose


def cut(folder: Path, shards: list[list[str]], workers: int = 1, **settings: Any) -> list[str]:
    """The texts that are left; "" for a document that was dropped."""
    numbers = iter(range(10**6))
    documents = [[Document(identity(next(numbers)), text) for text in shard] for shard in shards]
    read = artifact(folder / "in", documents)
    out = scratch_out(folder / "out", machine=Machine(workers=workers))
    substring_dedup.run(parse(substring_dedup.Settings, settings, "test"), {"documents": read}, out)
    left = {d.id: d.text for d in read_documents(folder / "out")}
    return [left.get(d.id, "") for shard in documents for d in shard]


def by_hand(shards: list[list[str]], length: int, copies: str) -> list[list[str]]:
    """The tokens that are left of each text: every window of the corpus in a dictionary."""
    texts = [re.findall(r"\w+|[^\w\s]", text) for shard in shards for text in shard]
    windows = [[tuple(t[i : i + length]) for i in range(len(t) - length + 1)] for t in texts]
    total = Counter(w for text in windows for w in text)
    seen: set[tuple[str, ...]] = set()
    left: list[list[str]] = []
    for text, own in zip(texts, windows, strict=True):
        gone: set[int] = set()
        for place, window in enumerate(own):
            if window in seen if copies == "later" else total[window] > 1:
                gone.update(range(place, place + length))
            seen.add(window)
        left.append([token for place, token in enumerate(text) if place not in gone])
    return left


def test_a_passage_of_fifty_words_stays_in_its_first_document_only(tmp_path: Path) -> None:
    shared = " ".join(prose(1, 50))
    texts = [f"One fox sat! {shared} And ran.", f"Two hens. {shared}\n\nThe end.", shared, "nothing new"]
    assert cut(tmp_path, [texts[:1], texts[1:]]) == [texts[0], "Two hens.\nThe end.", "", "nothing new"]
    funnel = read_funnel(tmp_path / "out")
    assert funnel["edited"] == {"substring_dedup.cut": 2} and funnel["dropped"] == {"substring_dedup.empty": 1}
    assert funnel["in"] == 4 == funnel["kept"] + 1


def test_forty_nine_words_are_no_repeat(tmp_path: Path) -> None:
    shared = " ".join(prose(1, 49))
    texts = [f"a {shared} b", f"c {shared} d"]
    assert cut(tmp_path, [texts]) == texts


def test_all_copies_go_when_asked(tmp_path: Path) -> None:
    shared = " ".join(prose(1, 60))
    texts = [f"One fox! {shared} x", f"Two hens. {shared} y"]
    assert cut(tmp_path, [texts], copies="all") == ["One fox! x", "Two hens. y"]


def test_repeats_inside_one_document(tmp_path: Path) -> None:
    verse = " ".join(prose(3, 55))
    assert cut(tmp_path, [[f"{verse}\nfirst\n{verse}\nlast"]]) == [f"{verse}\nfirst\nlast"]


def test_case_counts_and_white_space_does_not(tmp_path: Path) -> None:
    words = prose(4, 50)
    texts = [" ".join(words), "\n".join(words) + " x", " ".join(words).upper()]
    assert cut(tmp_path, [texts]) == [texts[0], "x", texts[2]]


def test_bytes(tmp_path: Path) -> None:
    shared = "é" * 3 + "".join(prose(5, 40))[:94]
    texts = [f"1{shared}ö", f"2{shared}ä", f"3{shared[:-1]}ü"]
    assert len(shared.encode()) == 100
    # ö and ä begin with the same byte, which belongs to neither repeat alone: characters stay whole
    assert cut(tmp_path, [texts], unit="bytes", min_tokens=100) == [texts[0], "2ä", texts[2]]


def test_a_document_of_which_white_space_is_left_is_dropped(tmp_path: Path) -> None:
    first, second = "".join(prose(1, 9)), "".join(prose(2, 9))
    texts = [first, second, f"{first}\n{second}"]
    assert cut(tmp_path, [texts], unit="bytes", min_tokens=20) == [*texts[:2], ""]
    funnel = read_funnel(tmp_path / "out")
    assert funnel["dropped"] == {"substring_dedup.empty": 1} and funnel["edited"] == {"substring_dedup.cut": 2}


ALPHABET = st.lists(st.sampled_from(["a", "b", "c", "d", ".", "é"]), max_size=30).map(" ".join)


@examples(max_examples=60, deadline=None)
@given(
    shards=st.lists(st.lists(ALPHABET, max_size=4), min_size=1, max_size=3),
    length=st.integers(2, 9),
    copies=st.sampled_from(["later", "all"]),
)
def test_the_same_as_with_every_window_in_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, shards: list[list[str]], length: int, copies: str
) -> None:
    expected = by_hand(shards, length, copies)
    if not any(expected):  # a stage that keeps nothing says so
        return
    found = cut(tmp_path_factory.mktemp("cut"), shards, min_tokens=length, copies=copies)
    empty = {n for n, text in enumerate(t for s in shards for t in s) if not text}
    assert [text.split() for n, text in enumerate(found) if n not in empty] == [
        left for n, left in enumerate(expected) if n not in empty
    ]


def test_workers_and_the_cut_into_shards_change_nothing(tmp_path: Path) -> None:
    generator = random.Random(8)
    passages = [" ".join(prose(100 + n, generator.randrange(30, 90))) for n in range(12)]
    texts = [" ".join(generator.choices(passages, k=3) + prose(n, 20)) for n in range(40)]
    first = cut(tmp_path / "a", [texts])
    assert cut(tmp_path / "b", [texts[:9], texts[9:20], texts[20:]]) == first
    assert cut(tmp_path / "c", [texts[:9], texts[9:20], texts[20:]], workers=2) == first != texts
    assert payload_hash(tmp_path / "b/out") == payload_hash(tmp_path / "c/out")
    assert [text.split() for text in first] == by_hand([texts], 50, "later")

import random
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hornbook.data.files.records import Record, can_be_cut_anywhere, paragraphs, split, whole


def blocks(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def test_records_with_their_positions() -> None:
    data = b"one\n\nthree\n"
    assert list(split(iter([data]), b"\n", 0, None, 0, 100)) == [Record(0, b"one"), Record(4, b""), Record(5, b"three")]


def test_a_record_that_is_too_long_is_passed_over() -> None:
    data = b"ab\n" + b"x" * 5000 + b"\ncd\n" + b"y" * 5000
    for size in (1, 7, 100_000):
        found = list(split(iter(blocks(data, size)), b"\n", 0, None, 0, 1000))
        assert [(r.position, r.data[:2], r.flaw) for r in found] == [
            (0, b"ab", ""),
            (3, b"xx", "too_large"),
            (5004, b"cd", ""),
            (5007, b"yy", "too_large"),
        ]
        assert all(len(r.data) <= 2000 for r in found)


@examples(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([b"\n", b"<|>", b"END"]), st.integers(1, 40), st.integers(1, 30))
def test_every_record_is_in_exactly_one_range(seed: int, separator: bytes, step: int, block: int) -> None:
    generator = random.Random(seed)
    parts = [bytes(generator.choices(b"aE<|N", k=generator.randrange(12))) for _ in range(generator.randrange(12))]
    data = separator.join(parts)
    expected = list(split(iter([data]), separator, 0, None, 0, 10**6))
    found: list[Record] = []
    for begin in range(0, max(1, len(data)), step):
        end = begin + step if begin + step < len(data) else None
        start = max(0, begin - len(separator))
        found += split(iter(blocks(data[start:], block)), separator, begin, end, start, 10**6)
    assert found == expected


def test_which_separators_can_be_looked_for_from_anywhere() -> None:
    assert can_be_cut_anywhere(b"<|endoftext|>") and can_be_cut_anywhere(b"\n")
    assert not can_be_cut_anywhere(b"\n\n") and not can_be_cut_anywhere(b"abXab")


def test_whole_files_have_a_limit() -> None:
    assert list(whole(iter([b"ab", b"cd"]), 4)) == [Record(0, b"abcd")]
    assert list(whole(iter([b"ab", b"cde"]), 4)) == [Record(0, b"abcde", "too_large")]


@pytest.mark.parametrize("size", [200, 1000])
def test_paragraphs_lose_nothing_and_keep_to_the_limit(size: int) -> None:
    text = "\n\n".join(f"Sentence {i} is here. " * (i % 9 + 1) for i in range(60)) + "\n\n" + "x" * 2500
    chunks = list(paragraphs(text, size))
    assert all(len(chunk) <= size for chunk in chunks)
    assert "".join("".join(chunks).split()) == "".join(text.split())
    assert sum(map(len, chunks)) / len(chunks) > size / 3


def test_chapters_begin_chunks() -> None:
    text = "# Title\n\n## One\n\nFirst text.\n\nChapter II\n\nSecond text."
    assert list(paragraphs(text, 1000)) == ["# Title\n\n## One\n\nFirst text.", "Chapter II\n\nSecond text."]


def test_a_long_paragraph_is_cut_at_a_sentence() -> None:
    text = "Aa bb cc. " * 30
    assert all(chunk.endswith("cc.") for chunk in paragraphs(text.strip(), 200))


def test_the_script_decides_what_ends_a_sentence() -> None:
    for sentence in (
        "春が来て、鳥が歌い、みんなが外へ出た。",
        "वह घर गया। ",
        "ہم گھر گئے۔ ",
        "«Ну и что?» ",
        "他说：“好。”",
    ):
        chunks = list(paragraphs((sentence * 60).strip(), 200))
        assert len(chunks) > 2 and all(chunk.endswith(sentence.strip()) for chunk in chunks), sentence
    assert not any(chunk.endswith("v1.") for chunk in paragraphs("a v1.2 " * 60, 200))  # no end inside a word


def test_blank_runs_make_no_empty_chunks() -> None:
    for blank in (" ", "\t", "\u3000"):
        chunks = list(paragraphs(f"one{blank * 2000}two", 200))
        assert [chunk.strip() for chunk in chunks] == ["one", "two"] and chunks[0] == "one"


def test_one_huge_paragraph_takes_time_by_its_length() -> None:
    begin = time.process_time()
    chunks = list(paragraphs("word " * 1_600_000, 200))
    assert len(chunks) == 40_000 and time.process_time() - begin < 2  # 0.2 s; by the square of its length 5 s


def test_a_reader_of_a_huge_record_stops_at_its_end() -> None:
    taken: list[int] = []

    def stream(data: bytes, start: int) -> Iterator[bytes]:
        for at in range(start, len(data), 100):
            taken.append(at)
            yield data[at : at + 100]

    line = b"x" * 10_000
    for begin, end in ((0, 1000), (1000, 2000), (5000, 6000)):
        start = max(0, begin - 1)
        taken.clear()
        found = list(split(stream(line, start), b"\n", begin, end, start, 300))
        assert [(record.position, record.flaw) for record in found] == ([(0, "too_large")] if begin == 0 else [])
        assert max(taken) <= end + 100
    data = b"ab\n" + line + b"\ncd\nef"
    for size in (10, 999, 10_004):
        every = [
            (record.position, record.flaw)
            for begin in range(0, len(data), size)
            for record in split(
                stream(data, max(0, begin - 1)),
                b"\n",
                begin,
                begin + size if begin + size < len(data) else None,
                max(0, begin - 1),
                300,
            )
        ]
        assert every == [(0, ""), (3, "too_large"), (10_004, ""), (10_007, "")]

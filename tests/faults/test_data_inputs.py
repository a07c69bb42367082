"""Bad input to the data stages: everything is accounted for, or one clear sentence says why nothing could be done."""

import errno
import gzip
import random
import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import scratch_out
from hornbook.core.document import read_documents
from hornbook.core.errors import DataError, is_disk_full
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import extract, read
from hornbook.data.ledger import read_funnel

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))
import warcs


def do(stage: Any, folder: Path, **settings: Any) -> dict[str, Any]:
    out = scratch_out(folder, machine=Machine(workers=1))
    stage.run(parse(stage.Settings, settings, "test"), {}, out)
    funnel = read_funnel(folder)
    assert funnel["in"] == funnel["kept"] + sum(funnel["dropped"].values())
    return funnel


def test_a_truncated_gzip_file_keeps_what_is_whole(tmp_path: Path) -> None:
    generator = random.Random(2)
    texts = ("".join(generator.choices("abcdefgh ", k=60)) for _ in range(20_000))
    lines = [f'{{"text": "{text}"}}' for text in texts]
    data = gzip.compress("\n".join(lines).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(data[: len(data) // 2])
    funnel = do(read, tmp_path / "out", path=str(tmp_path / "a.jsonl.gz"))
    assert 5_000 < funnel["kept"] < 15_000 and funnel["dropped"] == {"read.truncated": 1}
    (tmp_path / "b.txt.gz").write_bytes(data[:2])
    with pytest.raises(DataError, match="read.truncated 1"):
        do(read, tmp_path / "out2", path=str(tmp_path / "b.txt.gz"))


def test_invalid_utf8_is_decoded_or_replaced_and_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/latin.txt").write_bytes(
        "Die Mädchen fütterten zwölf Hühner und hörten Geschichten. ".encode("cp1252") * 9
    )
    (tmp_path / "in/mixed.txt").write_bytes("Zwölf Bären hörten zu. ".encode() * 30 + b"\xff\xfe end")
    (tmp_path / "in/nulls.txt").write_bytes(b"a\0b" * 10)
    funnel = do(read, tmp_path / "out", path=str(tmp_path / "in"))
    texts = [document.text for document in read_documents(tmp_path / "out")]
    assert funnel["edited"] == {"read.replaced": 1, "read.transcoded": 1}
    assert texts[0].startswith("Die Mädchen fütterten zwölf") and texts[1].count("\ufffd") == 2
    assert texts[2] == "a\0b" * 10


def test_an_empty_corpus_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="found: nothing"):
        do(read, tmp_path / "out", path=str(tmp_path / "in"))
    (tmp_path / "in/a.txt").write_text(" \n")
    with pytest.raises(DataError, match="no document was kept out of 1.*read.empty 1"):
        do(read, tmp_path / "out", path=str(tmp_path / "in"))
    (tmp_path / "in/a.jsonl").write_text("")
    (tmp_path / "in/a.txt").unlink()
    with pytest.raises(DataError, match="nothing was found to read"):
        do(read, tmp_path / "out", path=str(tmp_path / "in"))


def test_a_warc_of_garbage(tmp_path: Path) -> None:
    (tmp_path / "a.warc.gz").write_bytes(random.Random(1).randbytes(300_000))
    with pytest.raises(DataError, match="extract.damaged"):
        do(extract, tmp_path / "out", path=str(tmp_path / "a.warc.gz"))


@pytest.mark.parametrize("profile", ["fast", "precise"])
def test_hostile_pages_pass_and_are_accounted_for(tmp_path: Path, profile: str) -> None:
    generator = random.Random(4)
    page = warcs.page("hard times").encode()
    bad = [
        b"<div>" * 10_000,
        b"<table>" + b"<tr><td>x" * 60_000,
        b"<p " + b"a" * 500_000 + b">text</p>",
        b"<a href='" + b"/x" * 100_000 + b"'>x</a>",
        b"\0" * 10_000,
        b"<" * 100_000,
        b"<!--" * 20_000,
        b"<![CDATA[" * 20_000,
        b"&#" * 50_000,
        b"<td colspan=9007199254740991>x",
        b"<svg><math><annotation-xml>" * 100,
        generator.randbytes(20_000),
    ]
    for _ in range(12):
        mutated = bytearray(page)
        for _ in range(generator.randrange(1, 40)):
            at = generator.randrange(len(mutated))
            mutated[at : at + generator.randrange(30)] = generator.randbytes(generator.randrange(20))
        bad.append(bytes(mutated))
    records = [warcs.response(f"https://a.example/{i}", data) for i, data in enumerate([*bad, page])]
    (tmp_path / "a.warc.gz").write_bytes(b"".join(warcs.members(records)))
    funnel = do(extract, tmp_path / "out", path=str(tmp_path / "a.warc.gz"), profile=profile, page_cpu_s=3.0)
    assert funnel["in"] == len(bad) + 1
    assert funnel["dropped"]["extract.too_deep"] == 1 and funnel["dropped"]["extract.too_many_tags"] == 1
    assert set(funnel["dropped"]) <= set(extract.RULES)
    last = [d for d in read_documents(tmp_path / "out") if d.url.endswith(f"/{len(bad)}")]
    assert len(last) == 1 and all(p in last[0].text for p in warcs.body("hard times"))


def test_a_page_that_takes_too_long_is_ended_and_reported(tmp_path: Path) -> None:
    long = "<p>word" * 600_000  # seconds of work, far more than the CPU limit below, were the guard of tags not there
    records = [warcs.response("https://a.example/long", long), *warcs.pages(2)]
    (tmp_path / "a.warc.gz").write_bytes(b"".join(warcs.members(records)))
    settings = {"path": str(tmp_path / "a.warc.gz"), "profile": "fast", "page_cpu_s": 1.0}
    funnel = do(extract, tmp_path / "out", max_tags=10**6, **settings)
    assert funnel["dropped"] == {"extract.timeout": 1} and funnel["kept"] == 2
    assert do(extract, tmp_path / "guarded", **settings)["dropped"] == {"extract.too_many_tags": 1}


def test_a_full_disk_is_recognised_and_leaves_no_final_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("<|endoftext|>".join(f"{i} {random.Random(i).random()}" for i in range(20_000)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(DataError) as caught:
            do(read, tmp_path / "out", path=str(tmp_path / "a.txt"), mode="separator")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert is_disk_full(caught.value) and caught.value.exit_code == 1
    assert isinstance(caught.value.__cause__, OSError) and caught.value.__cause__.errno == errno.EFBIG
    assert not list((tmp_path / "out").glob("kept/*")) and not list((tmp_path / "out").glob(".resume/*.scratch/*"))

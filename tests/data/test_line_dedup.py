import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hornbook.core.artifact import Artifact, Manifest, payload_hash, scratch_out
from hornbook.core.document import Document, read_documents
from hornbook.core.recipe import Machine
from hornbook.core.settings import parse
from hornbook.data import line_dedup
from hornbook.data.ledger import read_funnel
from hornbook.world import facts, pages

sys.path.insert(0, str(Path(__file__).parent))
from test_dedup import artifact, identity, prose


def cut(folder: Path, documents: list[Document], shard: int = 40, workers: int = 1, **settings: Any) -> dict[str, str]:
    """The texts that are left, by address (or id)."""
    shards = [documents[n : n + shard] for n in range(0, len(documents), shard)]
    out = scratch_out(folder / "out", machine=Machine(workers=workers))
    read = artifact(folder / "in", shards)
    line_dedup.run(parse(line_dedup.Settings, settings, "test"), {"documents": read}, out)
    return {d.url or d.id: d.text for d in read_documents(folder / "out")}


def site(host: str, texts: list[str]) -> list[Document]:
    return [Document(identity(n), text, f"http://{host}/{n}") for n, text in enumerate(texts)]


def test_menus_and_footers_with_changing_numbers_go_and_refrains_stay(tmp_path: Path) -> None:
    refrain = "Run, run, as fast as you can!\nYou can't catch me."
    texts = [
        f"Home | Tales\n\nTale of the {w}\n{w} ran.\n{refrain}\nThe {w} slept.\n{refrain}\nThe end.\n"
        f"{n} comments\n© {2000 + n} Tale House"
        for n, w in enumerate(["fox", "hen", "cat", "dog", "pig", "cow"])
    ]
    found = cut(tmp_path, site("a.example", texts))
    for n, word in enumerate(["fox", "hen", "cat", "dog", "pig", "cow"]):
        expected = f"Tale of the {word}\n{word} ran.\n{refrain}\nThe {word} slept.\n{refrain}\nThe end."
        assert found[f"http://a.example/{n}"] == expected
    assert read_funnel(tmp_path / "out")["edited"] == {"line_dedup.furniture": 6 * 3}
    shown = json.loads((tmp_path / "out/lines.json").read_text())
    assert ["a.example", "Home | Tales", 6] in shown


def test_numbers_of_pages_and_shares_decide(tmp_path: Path) -> None:
    def on(pages_with: int, pages_without: int) -> list[Document]:
        texts = [f"Log in\n{' '.join(prose(n, 8))}" for n in range(pages_with)]
        return site("a.example", [*texts, *(" ".join(prose(1000 + n, 8)) for n in range(pages_without))])

    def gone(name: str, documents: list[Document], **settings: Any) -> int:
        return sum("Log in" not in text for text in cut(tmp_path / name, documents, **settings).values())

    assert gone("four", on(4, 0)) == 0  # of 4 pages: too few
    assert gone("share", on(5, 20)) == 25  # 5 of 25: the share that counts
    assert gone("below", on(5, 21)) == 21  # 5 of 26: not reached, only the pages without it lack it
    assert gone("other", on(5, 21), min_frac=0.1) == 26
    assert gone("off", on(30, 0), furniture=False) == 0


def test_prose_needs_more_pages_and_something_between_it_and_the_text(tmp_path: Path) -> None:
    line = "Come back in the evening."
    few = site("a.example", [f"{' '.join(prose(n, 9))}\nHome\n{line}" for n in range(19)])
    many = site("b.example", [f"{' '.join(prose(n, 9))}\nHome\n{line}" for n in range(20)])
    near = site("c.example", [f"{' '.join(prose(n, 9))}\n{line}\nHome" for n in range(20)])
    found = cut(tmp_path, few + many + near)
    assert not any("Home" in text for text in found.values())
    assert {host: sum(line in t for url, t in found.items() if host in url) for host in ("a.e", "b.e", "c.e")} == {
        "a.e": 19,
        "b.e": 0,
        "c.e": 20,
    }


def test_formulas_and_chapters_stay_however_often_they_stand_there(tmp_path: Path) -> None:
    texts = [f"Chapter {n}\n{' '.join(prose(n, 9))}\nThe End\nLog in" for n in range(8)]
    found = cut(tmp_path / "a", site("a.example", texts))
    assert list(found.values()) == [text.removesuffix("\nLog in") for text in texts]
    assert not any("The End" in text for text in cut(tmp_path / "b", site("a.example", texts), protect=[]).values())


def test_lines_inside_the_text_stay(tmp_path: Path) -> None:
    texts = ["\n".join([" ".join(prose(10 * n + k, 7)) for k in range(4)] * 2) for n in range(9)]
    inside = [text.replace("\n", "\nAdvertisement\n", 4).replace("Advertisement\n", "", 3) for text in texts]
    assert all(text.split("\n")[4] == "Advertisement" for text in inside)
    assert list(cut(tmp_path / "a", site("a.example", inside)).values()) == inside
    found = cut(tmp_path / "b", site("a.example", inside), own_lines=4)
    assert list(found.values()) == texts


def test_what_has_nothing_else_is_dropped(tmp_path: Path) -> None:
    texts = ["Home\nTales"] * 2 + [f"Home\nTales\n{' '.join(prose(n, 9))}" for n in range(6)]
    assert len(cut(tmp_path, site("a.example", texts))) == 6
    funnel = read_funnel(tmp_path / "out")
    assert funnel["dropped"] == {"line_dedup.empty": 2} and funnel["edited"] == {"line_dedup.furniture": 16}
    assert funnel["in"] == 8


def test_documents_without_address_are_counted_by_source(tmp_path: Path) -> None:
    texts = [f"Licence: free\n{' '.join(prose(n, 9))}" for n in range(5)]
    one = [Document(identity(n), text, source="books") for n, text in enumerate(texts)]
    assert not any("Licence" in text for text in cut(tmp_path / "a", one).values())
    several = [Document(identity(n), text, source=f"book {n}") for n, text in enumerate(texts)]
    assert all("Licence" in text for text in cut(tmp_path / "b", several).values())


@pytest.mark.parametrize(("mode", "left"), [("off", [2, 2, 3]), ("first", [2, 0, 2]), ("all", [0, 0, 2])])
def test_lines_of_other_documents_wherever_they_are(tmp_path: Path, mode: str, left: list[int]) -> None:
    line = " ".join(prose(1, 12))
    texts = [
        f"{line}\n{line}\na",
        f"b\n{line.upper()}!\n{line}",
        f"{' '.join(prose(2, 12))}\n{' '.join(prose(3, 9))}\nx\n{line}",
    ]
    documents = [Document(identity(n), text, f"http://h{n}.example/") for n, text in enumerate(texts)]
    found = cut(tmp_path, documents, shard=1, everywhere=mode)
    counts = [sum(len(part.split()) > 8 for part in found[d.url].split("\n")) for d in documents]
    assert counts == left
    num = sum(len(text.split("\n")) for text in texts) - sum(len(text.split("\n")) for text in found.values())
    edited = read_funnel(tmp_path / "out")["edited"]
    assert edited == ({"line_dedup.everywhere": num} if num else {})


def test_short_lines_may_recur_everywhere(tmp_path: Path) -> None:
    documents = [Document(identity(n), f"{' '.join(prose(n, 12))}\nAnd so it was.") for n in range(4)]
    assert all("And so" in text for text in cut(tmp_path, documents, everywhere="all", furniture=False).values())


def test_looking_everywhere_changes_no_furniture(tmp_path: Path) -> None:
    """A line too long to be furniture is none, whether lines are looked for on other sites or not."""
    texts = [f"{'z' * 21}\nHome\n{' '.join(prose(n, 5))}" for n in range(6)]
    left = [text.replace("\nHome", "") for text in texts]
    for mode in ("off", "first", "all"):
        assert list(cut(tmp_path / mode, site("a.example", texts), everywhere=mode, max_words=1).values()) == left
    assert read_funnel(tmp_path / "first/out")["edited"] == {"line_dedup.furniture": 6}


def test_a_very_long_line_of_two_documents_is_found_everywhere(tmp_path: Path) -> None:
    line = " ".join(prose(1, 400))
    texts = [f"{line}\nfirst", f"second\n{line}"]
    documents = [Document(identity(n), text, f"http://h{n}.example/") for n, text in enumerate(texts)]
    assert list(cut(tmp_path, documents, everywhere="first").values()) == [texts[0], "second"]


FOOTERS = [
    lambda n, host: [f"Posted on {'January March June October'.split()[n % 4]} {1 + n % 28}, {2000 + n % 25}", "Share"],
    lambda n, host: [f"{n} comments", f"© {1990 + n % 30} {host}. All rights reserved."],
    lambda n, host: ["Previous | Next", "Back to top", f"Page {n} of 99 | Privacy policy"],
]
MENUS = [["Home", "Tales", "Log in"], ["Skip to content", "Menu | Search"], ["Start", "Über uns", "Kontakt"]]


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Stories of the world as a reader sees them: a title and paragraphs."""
    folder = tmp_path_factory.mktemp("world")
    out = scratch_out(folder / "facts", seed=7)
    facts.run(parse(facts.Settings, {}, "test"), {}, out)
    world = facts.read_world(Artifact(folder / "facts", Manifest(kind="truth")))
    settings = parse(
        pages.Settings, {"story": 1.0, "encyclopedia": 0.0, "letter": 0.0, "forum": 0.0, "chat": 0.0}, "test"
    )
    found = pages.make_pages(world, settings, 7)
    texts = (
        page.text for page in found if page.kind == "story" and not page.duplicate_of and not page.near_duplicate_of
    )
    return [text for text, _ in zip(texts, range(300), strict=False)]


def test_planted_menus_go_and_no_line_of_a_story_does(stories: list[str], tmp_path: Path) -> None:
    documents, planted = [], {}
    for number, text in enumerate(stories):
        which = number % 7
        host = f"s{which}.example"
        menu, footer = MENUS[which % 3], FOOTERS[which % 3](number, host)
        url = f"http://www.{host}/{number}"
        planted[url] = (menu + footer, text)
        documents.append(Document(identity(number), "\n".join([*menu, text, *footer]), url))
    random.Random(1).shuffle(documents)
    found = cut(tmp_path, documents, workers=2)
    left = sum(line in found[url].split("\n") for url, (lines, _) in planted.items() for line in lines)
    assert left / sum(len(lines) for lines, _ in planted.values()) <= 0.05
    assert all(not Counter(text.split("\n")) - Counter(found[url].split("\n")) for url, (_, text) in planted.items())


def test_workers_and_the_cut_into_shards_change_nothing(stories: list[str], tmp_path: Path) -> None:
    documents = [
        Document(identity(n), f"Home\n{text}\n© {n}  Tale House", f"http://h{n % 5}.example/{n}")
        for n, text in enumerate(stories[:60])
    ]
    first = cut(tmp_path / "a", documents, everywhere="first")
    assert cut(tmp_path / "b", documents, workers=2, everywhere="first") == first
    assert payload_hash(tmp_path / "a/out") == payload_hash(tmp_path / "b/out")
    assert cut(tmp_path / "c", documents, shard=7, everywhere="first") == first

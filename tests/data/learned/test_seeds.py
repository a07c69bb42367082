from pathlib import Path

import pytest

from hornbook.core.document import Document
from hornbook.core.errors import SettingsError
from hornbook.data.learned import seeds
from hornbook.data.learned.seeds import Seeded, axis_classes, check, one_of, ready, weigh

OWN = """
[format.sea]
words = ["ship", "high tide", "anchor"]
patterns = ['(?m)^Ahoy']
urls = ['harbour']
[format.land]
words = ["field", "plough", "ship"]
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.toml").write_text(OWN)
    return str(tmp_path / "own.toml")


def points(file: str, text: str, url: str = "") -> dict[str, int]:
    return weigh(Document("x", text, url), ready(file, "format"))


def test_points_worked_out_by_hand(own: str) -> None:
    assert points(own, "Ship, ship and HIGH tide.\nAhoy!\nAhoy!") == {"sea": 2 + 2, "land": 1}
    assert points(own, "Ahoy\n" * 9, "https://harbour.example/harbour") == {"sea": 5 + 4, "land": 0}
    assert points(own, "shipment, high and tide; anchors") == {"sea": 0, "land": 0}


def test_a_clear_lead_decides(own: str) -> None:
    labeller = Seeded(own, "format", axis_classes(own, "format"))
    assert labeller.classes == ("sea", "land", "unknown")
    found = [
        labeller.label(Document("x", text))
        for text in (
            "anchor at high tide",
            "ship, anchor, high tide",
            "field and plough",
            "anchor",
            "anchor " + "calm " * 200,
        )
    ]
    assert found == [0, -1, 1, -1, 2]  # 2:0 leads, 3:1 does not; one sign is too few, and in a long text it is none


def test_one_of_some_classes_must_lead_over_all(own: str) -> None:
    def found(text: str, *classes: str) -> str:
        return one_of(Document("x", text), own, "format", frozenset(classes))

    assert found("anchor at high tide", "sea") == found("anchor at high tide", "sea", "land") == "sea"
    assert found("anchor at high tide", "land") == found("anchor at high tide") == ""
    assert found("anchor, high tide; field and plough", "sea") == ""  # 2:2
    assert found("anchor", "sea") == ""


def test_a_list_that_is_changed_is_read_again(own: str) -> None:
    assert axis_classes(own, "format") == ("sea", "land", "unknown")
    Path(own).write_text("[format.sky]\nwords = ['cloud']")
    assert axis_classes(own, "format") == ("sky", "unknown")


def test_only_a_share_of_the_documents_is_looked_at(own: str) -> None:
    labeller = Seeded(own, "format", axis_classes(own, "format"), 0.25)
    labels = [labeller.label(Document(f"d{i}", "anchor at high tide")) for i in range(400)]
    assert 70 < labels.count(0) < 130 and labels.count(-1) == 400 - labels.count(0)


def test_the_list_that_comes_along() -> None:
    check("")
    assert {"code", "letter", "recipe", "legal"} < set(axis_classes("", "format"))
    assert {"sports", "health"} < set(axis_classes("", "topic"))
    cases = {
        "code": "def area(r):\n    return pi\n\nfor (int i = 0; i < 3; i++) {\n    run(i);\n}\nclass A:\n    x = 1\n",
        "letter": "Dear Emil,\n\nthank you for your letter. I hope you are well.\n\nLove,\nDoris",
        "recipe": "Ingredients\n2 cups flour\n1/2 tsp salt\n\nPreheat the oven to 180 °C. Stir in the butter and bake.",
        "commerce": "Blue kettle, $19.99, 20% off. Add to cart. In stock. Free shipping. 14 reviews, 4.5 stars",
        "legal": "1. The parties hereby agree. The licensee shall indemnify the licensor pursuant to Section 3.",
        "dialogue": "User: Hello there\nAssistant: Good day!\nUser: What is the time?\nAssistant: Noon.",
        "story": "Once upon a time there was a puppy named Rex. One day, Rex and his mom played. He smiled. The end.",
        "forum": "Posted by hanna\nRe: roof\nAny ideas? Thanks in advance\ngus wrote:\nlol, quote the original poster",
    }
    labeller = Seeded("", "format", axis_classes("", "format"))
    found = {name: labeller.label(Document("x", text)) for name, text in cases.items()}
    assert {name: labeller.classes[number] for name, number in found.items() if number >= 0} == {n: n for n in cases}


def test_patterns_stay_quick_on_hostile_texts() -> None:
    import time

    for text in (
        "a" * 4000,
        "a b " * 1000,
        '"' * 4000,
        ";" * 4000,
        "\n" * 4000,
        "- -a" * 1000,
        "(born " * 700,
        "A " * 2000,
        "1" * 4000,
    ):
        begin = time.process_time()
        weigh(Document("x", text), ready("", "format"))
        assert time.process_time() - begin < 0.1, text[:10]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[format.sea]\nword = ['x']", 'did you mean "words"'),
        ("[format.sea]\npatterns = ['(']", "no regular expression"),
        ("[shape.sea]\nwords = ['x']", "no axis"),
        ("format = 3", "no axis"),
        ("nonsense", "not TOML"),
    ],
)
def test_mistakes_in_an_own_list(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(SettingsError, match=found):
        seeds.check(str(tmp_path / "bad.toml"))

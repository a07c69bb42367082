"""Which texts of a domain proxies see: those whose ids hash lowest, of every domain enough to learn and to measure."""

from hornbook.core.document import Document
from hornbook.scaling import domain_texts


def test_a_pile_keeps_the_lowest_hashes_whatever_the_order() -> None:
    documents = [Document(f"d{n}", "x" * 10) for n in range(300)]
    piles = []
    for order in (documents, documents[::-1]):
        pile = domain_texts.Pile([])
        for document in order:
            pile.add(document, 400)
        pile.prune(400)
        piles.append(sorted(pile.kept))
    assert piles[0] == piles[1] and 39 <= len(piles[0]) <= 41 and pile.num_bytes == 3000


def test_one_document_larger_than_all_that_is_kept() -> None:
    """It is cut, so that a second one always has room."""
    pile = domain_texts.Pile([])
    for number in range(3):
        pile.add(Document(f"d{number}", "é" * 500), 401)
    pile.prune(401)
    assert pile.num_bytes == 3000 and [len(text.encode()) for _, text in pile.kept] == [200, 200, 200]

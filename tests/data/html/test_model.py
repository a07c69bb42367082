import sys
from pathlib import Path

import numpy as np
import pytest

from hornbook.data.html import model as html_model
from hornbook.data.html.blocks import read_blocks
from hornbook.data.html.page import to_text

sys.path.insert(0, str(Path(__file__).parents[1]))
import warcs


def test_the_article_is_likely_and_the_rest_is_not() -> None:
    page = read_blocks(warcs.page("Oldtown"))
    table = html_model.features(page)
    likely = html_model.probabilities(table, html_model.load_model())
    assert all(p > 0.8 for p, text in zip(likely, page.texts, strict=True) if text in warcs.body("Oldtown"))


def test_features_are_finite_and_one_row_a_block() -> None:
    for html in ("x", "<p>\ud800😀x", "<pre>\n1", warcs.page("A")):
        page = read_blocks(html)
        rows = html_model.features(page).rows
        assert rows.shape[0] == len(page.texts) and np.isfinite(rows).all()


def test_what_is_around_a_block() -> None:
    levels = np.array([[0, 0, 0], [0, 0, 2], [1, 1, 1]])
    ends = np.array([[3, 3, 3], [2, 2, 3], [2, 2, 2]])
    table = html_model.Table(None, levels, ends, np.array([0, 1, 0]), np.zeros(3))
    hidden = np.array([[1, 10], [2, 20], [4, 40]], np.float32)
    wanted = [
        [1, 2, 4], [0, 1, 2], [2, 4, 0], [0, 0, 1], [4, 0, 0], [0, 0, 0], [0, 0, 0],
        [7 / 3, 7 / 3, 7 / 3], [1.5, 1.5, 4], [2, 2, 2], [2.5, 2, 2.5],
    ]  # fmt: skip
    seen = html_model._seen(hidden, table).reshape(3, html_model.NUM_SEEN, 2)
    for place, column in enumerate(wanted):
        assert seen[:, place, 0].tolist() == np.array(column, np.float32).tolist()
        assert seen[:, place, 1].tolist() == pytest.approx([10 * value for value in column])


def test_nets_side_by_side_are_the_nets_one_by_one() -> None:
    chance = np.random.default_rng(1)
    second = chance.normal(size=(2, html_model.NUM_SEEN * 3, 4)).astype(np.float32)
    seen = chance.normal(size=(5, html_model.NUM_SEEN, 2, 3)).astype(np.float32)
    given = (seen.reshape(5, -1) @ html_model._side_by_side(second)).reshape(5, 2, 4)
    for net in range(2):
        assert np.allclose(given[:, net], seen[:, :, net].reshape(5, -1) @ second[net], atol=1e-5)


def test_votes_are_shares_of_words_in_common_runs() -> None:
    votes = html_model.votes_of(
        "one two three four five. Seven", ["one two three", "four", "zero five seven one two", "!"]
    )
    assert votes.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert html_model.votes_of("", ["a b"]).tolist() == [0.0]
    assert html_model.votes_of("a b", ["a b c", "b"]).tolist() == [np.float32(2 / 3), 0.0]


def test_expected_f1_and_choice() -> None:
    page = read_blocks("<h1>Head</h1><p>one two three</p><p>four five</p>")
    table = html_model.features(page)
    assert html_model.chosen(np.array([0.0, 0.9, 0.1]), table, 0.4) == [0, 1]  # the heading before a chosen block
    assert html_model.chosen(np.array([0.0, 0.2, 0.15]), table, 0.4) == [0, 1, 2]  # nothing likely: the likeliest
    assert html_model.chosen(np.array([0.1, 0.7, 0.36]), table, 0.4) == [0, 1, 2]  # below twice the threshold: half
    assert html_model.chosen(np.array([0.1, 0.9, 0.39]), table, 0.4) == [0, 1]
    words = np.array([1, 3, 2])
    likely = np.array([0.5, 0.9, 0.1])
    wanted = 2 * (0.5 + 2.7) / (4 + (words * likely).sum())
    assert abs(html_model.expected_f1(likely, [0, 1], table) - wanted) < 1e-5


def test_words_without_spaces_are_counted() -> None:
    page = read_blocks("<p>古い灯台の番人は毎晩船を数え</p><p>two words</p><p>한국어 문장</p>")
    words = np.expm1(html_model.features(page).rows[:, html_model.NUM_WORDS])
    assert words.tolist() == pytest.approx([1 + 14 / 1.6, 2, 2], rel=1e-5)


def test_the_article_of_a_page_without_spaces_is_found() -> None:
    body = "".join(
        f"<p>{i}人の古い灯台の番人は毎晩船を数えて、それから階段をのぼり、大きなランプに火をつけました。</p>"
        for i in range(9)
    )
    menu = "".join(f'<li><a href="/{i}">記事の一覧{i}</a></li>' for i in range(9))
    text = to_text(f"<div>{menu}</div><div><h1>灯台の番人</h1>{body}</div><div>{menu}</div>", "fast")
    assert text.startswith("灯台の番人\n0人の") and text.count("ランプ") == 9 and "一覧" not in text


def test_neighbours_in_the_same_elements() -> None:
    rows = html_model.features(read_blocks("<p>a<br><br>b</p><p>c</p>")).rows
    assert rows.shape[1] == 131  # 27 of a block, 36 around it (the last six: these), 14 kinds, 54 words
    assert rows[:, 57:63].T.tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 1, 1]]

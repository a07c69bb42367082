"""Whatever the cuts, the pieces are a prefix of the answer at any time and the answer at the end."""

from hypothesis import given
from hypothesis import strategies as st

from hornbook.engine.text import TextStream


def pieces(tokens: list[bytes], stop: tuple[str, ...] = ()) -> tuple[list[str], bool]:
    stream = TextStream(lambda index: tokens[index], stop)
    found = [stream.push(index) for index in range(len(tokens))]
    return [*found, stream.finish()], stream.stopped


def test_an_emoji_over_four_tokens_comes_out_whole() -> None:
    assert pieces([b"a\xf0", b"\x9f", b"\x99\x82", b"b"])[0] == ["a", "", "🙂", "b", ""]


def test_half_a_character_at_the_end_is_marked() -> None:
    assert pieces([b"a", b"\xf0\x9f"])[0] == ["a", "", "\ufffd"]


def test_a_stop_text_over_token_borders_never_shows() -> None:
    assert pieces([b"Hi\nUs", b"er", b": no"], ("\nUser:",)) == (["Hi", "", "", ""], True)


def test_what_only_looked_like_a_stop_text_is_released() -> None:
    assert pieces([b"Hi\nUs", b"ed", b"."], ("\nUser:",)) == (["Hi", "\nUsed", ".", ""], False)


def test_the_earliest_stop_text_wins() -> None:
    assert pieces([b"one. two! three"], ("!", "."))[0] == ["one", ""]


def test_a_held_back_beginning_is_released_at_the_end() -> None:
    assert pieces([b"Hi\nUs"], ("\nUser:",)) == (["Hi", "\nUs"], False)


@given(
    st.text(alphabet="abé🙂", max_size=20),
    st.lists(st.text(alphabet="abé", min_size=1, max_size=4), max_size=2),
    st.data(),
)
def test_any_cut_gives_the_text_before_the_first_stop(text: str, stop: list[str], data: st.DataObject) -> None:
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    tokens = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    found, stopped = pieces(tokens, tuple(stop))
    first = min((at for at in (text.find(s) for s in stop) if at >= 0), default=len(text))
    # several stop texts may complete at different times: what completes first in time ends the text
    ends = [text.find(s) + len(s) for s in stop if s in text]
    if len(set(stop)) < 2 or len(ends) < 2:
        assert "".join(found) == text[:first]
    assert stopped == bool(ends)
    assert text.startswith("".join(found))

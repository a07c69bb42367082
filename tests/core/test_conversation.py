import pytest

from hornbook.core.conversation import Conversation, Message, read_conversations, write_conversations
from hornbook.core.errors import DataError

GOOD = Conversation("c1", (Message("user", "Hi\nthere ☃"), Message("assistant", "Hello.")), {"kind": "greeting"})


def test_what_is_written_is_read(tmp_path):
    assert write_conversations(tmp_path, [GOOD, GOOD]) == 2
    assert list(read_conversations(tmp_path)) == [GOOD, GOOD]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ('{"messages": []}', "at least one message"),
        ('["a"]', "at least one message"),
        ('{"messages": [{"role": "robot", "content": "x"}]}', "'robot'"),
        ('{"messages": [{"role": "user", "content": 3}]}', "type int"),
        ('{"messages": ["x"]}', "role None"),
    ],
)
def test_bad_lines_are_named(tmp_path, line, problem):
    (tmp_path / "c.jsonl").write_text('{"messages": [{"role": "user", "content": "x"}]}\n' + line + "\n")
    with pytest.raises(DataError, match=problem) as caught:
        list(read_conversations(tmp_path / "c.jsonl"))
    assert "c.jsonl:2" in str(caught.value)

"""Rows join and leave between steps; each keeps the text it would have had."""

import torch

from hornbook.engine.interface import Request
from hornbook.engine.local import LocalModel
from hornbook.engine.slots import Slots


def test_rows_that_join_late_and_leave_early(local: LocalModel) -> None:
    requests = [Request((5 + i, 9, 11 + i), 6 + 5 * i, temperature=0.0, ignore_eos=True) for i in range(4)]
    alone = [local.generate([request])[0].ids for request in requests]
    slots = Slots(local, 4)
    rows = [slots.row(request) for request in requests]
    pending = list(rows)
    while pending or slots.active:
        if pending:
            slots.admit(pending.pop())
        slots.step()
    assert [tuple(row.ids) for row in rows] == alone


def test_a_dropped_row_leaves_the_others_alone(local: LocalModel) -> None:
    requests = [Request((5 + i, 9), 20, temperature=0.0, ignore_eos=True) for i in range(3)]
    alone = [local.generate([request])[0].ids for request in requests]
    slots = Slots(local, 4)
    rows = [slots.row(request) for request in requests]
    for row in rows:
        slots.admit(row)
    for _ in range(5):
        slots.step()
    slots.drop([rows[0]])
    assert slots.num_free == 2
    while slots.active:
        slots.step()
    assert [tuple(row.ids) for row in rows[1:]] == alone[1:]


def test_all_windows_and_buckets_give_the_same_text(local: LocalModel) -> None:
    request = Request((5, 6), 150, temperature=0.0, ignore_eos=True)
    wanted = local.generate([request])[0].ids
    for size in (1, 2, 4, 8):
        slots = Slots(local, size, fixed_rows=size)
        row = slots.row(request)
        slots.admit(row)
        while slots.active:
            slots.step()
        assert tuple(row.ids) == wanted
    assert torch.tensor(wanted).unique().numel() > 1

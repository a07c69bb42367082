import pytest
import torch

from hornbook.compute import dtype
from hornbook.compute.dtype import compute_dtype
from hornbook.core.errors import SettingsError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [({"avx512_bf16"}, torch.bfloat16), ({"amx_bf16"}, torch.bfloat16), ({"avx2"}, torch.float32)],
)
def test_bf16_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch, flags: set[str], wanted: torch.dtype) -> None:
    monkeypatch.setattr(dtype, "cpu_flags", lambda: frozenset(flags))
    assert compute_dtype(CPU) == wanted


def test_formats_by_name() -> None:
    assert compute_dtype(CPU, "bf16") == torch.bfloat16 and compute_dtype(CPU, "fp32") == torch.float32
    with pytest.raises(SettingsError, match=r"fp8.*bf16"):
        compute_dtype(CPU, "fp8")

"""Which number format matrices are multiplied in."""

import torch

from hornbook.compute.cpu import cpu_flags
from hornbook.core.errors import SettingsError


def compute_dtype(device: torch.device, asked: str = "auto") -> torch.dtype:
    """bf16 where the device multiplies it in hardware, else fp32; or what is asked for by name.

    Raises SettingsError for a name that is not a number format.
    """
    if asked == "auto":
        return torch.bfloat16 if has_bf16(device) else torch.float32
    known = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp64": torch.float64, "fp16": torch.float16}
    if asked not in known:
        raise SettingsError(f'there is no number format "{asked}"', do=f"Use auto, {', '.join(known)}")
    return known[asked]


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 matrix products are faster than fp32 ones here (AMX or AVX512-BF16; CUDA from Ampere on)."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    return device.type == "cpu" and bool(cpu_flags() & {"amx_bf16", "avx512_bf16"})

"""A short measurement of this machine, kept, so that plans can speak of minutes."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from hornbook.compute.cpu import cpu_name, memory_bytes, num_cores
from hornbook.compute.dtype import has_bf16
from hornbook.core.artifact import write_json

VERSION = 1
MAX_AGE_S = 7 * 24 * 3600
SECONDS = 0.4


@dataclass(frozen=True)
class Probe:
    """What a machine can do: peak matrix speed in GFLOP/s by number format, cores, memory."""

    device: str
    cpu_name: str
    num_cores: int
    fp32_gflops: float
    bf16_gflops: float
    memory_bytes: int
    threads: int
    measured_at: float = 0.0
    version: int = VERSION

    @property
    def dtype(self) -> str:
        """The faster format for training: `bf16` or `fp32`."""
        return "bf16" if self.bf16_gflops > 1.1 * self.fp32_gflops else "fp32"

    @property
    def peak_flops(self) -> float:
        """FLOP/s of the faster format."""
        return max(self.fp32_gflops, self.bf16_gflops) * 1e9


def load_or_measure(cache: Path) -> Probe:
    """The probe of this machine from the cache, or measured now (about two seconds)."""
    file = cache / "probe.json"
    name = cpu_name()
    try:
        kept = Probe(**json.loads(file.read_text()))
        if (kept.version, kept.cpu_name, kept.num_cores) == (VERSION, name, num_cores()) and _is_fresh(kept):
            return kept
    except (OSError, ValueError, TypeError):
        pass
    probe = measure()
    write_json(file, asdict(probe))
    return probe


def measure() -> Probe:
    """Measure matrix products of 1024 x 1024, the best of several, with the better of all threads and one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    before = torch.get_num_threads()
    found: dict[int, tuple[float, float]] = {}
    for threads in {num_cores(), 1} if device.type == "cpu" else {before}:
        torch.set_num_threads(threads)
        fp32 = matmul_gflops(torch.float32, device)
        found[threads] = (fp32, matmul_gflops(torch.bfloat16, device) if has_bf16(device) else 0.0)
    torch.set_num_threads(before)
    best = max(found, key=lambda n: max(found[n]))
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    memory = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else memory_bytes()
    return Probe(name, cpu_name(), num_cores(), *found[best], memory, best, time.time())


def matmul_gflops(dtype: torch.dtype, device: torch.device, size: int = 1024) -> float:
    """GFLOP/s of square matrix products: the best of repeated ones over a moment."""
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    torch.mm(a, b)
    best, start = 0.0, time.perf_counter()
    while best == 0.0 or time.perf_counter() - start < SECONDS:
        begin = time.perf_counter()
        for _ in range(4):
            torch.mm(a, b)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, 4 * 2 * size**3 / (time.perf_counter() - begin) / 1e9)
    return best


def _is_fresh(probe: Probe) -> bool:
    return time.time() - probe.measured_at < MAX_AGE_S

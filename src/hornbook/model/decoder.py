"""The decoder: Qwen3 and Llama, written once."""

import torch
from torch import nn
from torch.nn import functional

from hornbook.model import cross_entropy
from hornbook.model.attention import Reach, attend, cache_mask, positions_of
from hornbook.model.kv_cache import KVCache
from hornbook.model.rope import rope_tables, rotate
from hornbook.model.settings import ModelSettings
from hornbook.model.taps import Taps


def multiply(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`x @ weight.T` in the dtype of x.

    For one row on a CPU it is written out: the compiler makes of it a loop that reads the weights once, in the format
    they are kept in, where torch's matrix product took 2.2 times (bf16) to 2.9 times (fp32) as long (AMD Zen 4).
    """
    if torch.compiler.is_compiling() and not torch.is_grad_enabled() and x.numel() == x.shape[-1] and x.is_cpu:
        wide = torch.promote_types(x.dtype, torch.float32)
        return (x.to(wide)[..., None, :] * weight.to(wide)).sum(dim=-1).to(x.dtype)
    return functional.linear(x, weight.to(x.dtype))


class Linear(nn.Module):
    """A matrix kept in fp32 and multiplied in the dtype of its input."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width_out, width_in))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return multiply(x, self.weight)


class RMSNorm(nn.Module):
    """Divide by the root of the mean square, multiply by a learned gain; statistics in fp32.

    Source: Zhang and Sennrich 2019, eq. 4; eps inside the root, as in Llama.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        scale = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + self.eps)
        return (wide * scale * self.weight).to(x.dtype)


class Attention(nn.Module):
    """Grouped-query attention with rotary positions; q, k and v lie in one matrix, in this order."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.heads, self.kv_heads, self.head_size = settings.heads, settings.kv_heads, settings.head_size
        self.qkv = Linear(settings.width, (self.heads + 2 * self.kv_heads) * self.head_size)
        self.out = Linear(self.heads * self.head_size, settings.width)
        self.q_norm = RMSNorm(self.head_size, settings.norm_eps) if settings.qk_norm else None
        self.k_norm = RMSNorm(self.head_size, settings.norm_eps) if settings.qk_norm else None

    @property
    def parts(self) -> tuple[int, int, int]:
        """Rows of q, of k and of v in the fused matrix."""
        return (self.heads * self.head_size, self.kv_heads * self.head_size, self.kv_heads * self.head_size)

    def forward(
        self,
        x_BTD: torch.Tensor,
        angles: tuple[torch.Tensor, torch.Tensor],
        reach: Reach,
        layer: int,
        cache: KVCache | None,
        positions_BT: torch.Tensor | None,
    ) -> torch.Tensor:
        q, k, v = self.qkv(x_BTD).split(self.parts, dim=-1)
        q_BTHK = q.unflatten(-1, (self.heads, self.head_size))
        k_BTJK = k.unflatten(-1, (self.kv_heads, self.head_size))
        v_BTJK = v.unflatten(-1, (self.kv_heads, self.head_size))
        if self.q_norm is not None and self.k_norm is not None:
            q_BTHK, k_BTJK = self.q_norm(q_BTHK), self.k_norm(k_BTJK)
        q_BTHK, k_BTJK = rotate(q_BTHK, *angles), rotate(k_BTJK, *angles)
        if cache is not None and positions_BT is not None:
            cache.write(layer, positions_BT, k_BTJK, v_BTJK)
            if not cache.fresh:
                k_BSJK, v_BSJK = cache.k[layer].transpose(1, 2), cache.v[layer].transpose(1, 2)
                seen_BTHK = attend(q_BTHK.to(k_BSJK.dtype), k_BSJK, v_BSJK, reach)  # in the cache's number format
                return self.out(seen_BTHK.to(x_BTD.dtype).flatten(2))
        return self.out(attend(q_BTHK, k_BTJK, v_BTJK, reach).flatten(2))


class FeedForward(nn.Module):
    """SwiGLU; gate and up lie in one matrix, in this order.

    Source: Shazeer 2020, eq. 6, without biases.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.hidden = settings.hidden
        self.gate_up = Linear(settings.width, 2 * settings.hidden)
        self.down = Linear(settings.hidden, settings.width)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        gate_BTF, up_BTF = self.gate_up(x_BTD).split(self.hidden, dim=-1)
        return self.down(functional.silu(gate_BTF) * up_BTF)


class Block(nn.Module):
    """One layer: attention, then feed-forward, each on a normalised copy and added to the residual stream."""

    def __init__(self, settings: ModelSettings, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.attention_norm = RMSNorm(settings.width, settings.norm_eps)
        self.attention = Attention(settings)
        self.mlp_norm = RMSNorm(settings.width, settings.norm_eps)
        self.mlp = FeedForward(settings)

    def forward(
        self,
        x_BTD: torch.Tensor,
        angles: tuple[torch.Tensor, torch.Tensor],
        reach: Reach,
        cache: KVCache | None,
        positions_BT: torch.Tensor | None,
        taps: Taps | None,
    ) -> torch.Tensor:
        name = f"layers.{self.layer}"
        added = self.attention(self.attention_norm(x_BTD), angles, reach, self.layer, cache, positions_BT)
        x_BTD = x_BTD + (added if taps is None else taps.at(f"{name}.attention", added))
        added = self.mlp(self.mlp_norm(x_BTD))
        x_BTD = x_BTD + (added if taps is None else taps.at(f"{name}.mlp", added))
        return x_BTD if taps is None else taps.at(name, x_BTD)


class Decoder(nn.Module):
    """A decoder-only language model whose weights are those of `Qwen3ForCausalLM` or `LlamaForCausalLM`.

    Weights stay in fp32 and are cast to `compute_dtype` where they are used; statistics of norms, logits and loss
    are fp32. In fp64 (`model.double()` with `compute_dtype=torch.float64`) everything is fp64.
    """

    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(
        self, settings: ModelSettings, *, compute_dtype: torch.dtype = torch.float32, seed: int | None = 0
    ) -> None:
        """`seed` draws the first weights; None leaves them unset, for weights that are loaded."""
        super().__init__()
        self.settings = settings
        self.compute_dtype = compute_dtype
        self.embedding = nn.Parameter(torch.empty(settings.vocab_size, settings.width))
        self.layers = nn.ModuleList(Block(settings, layer) for layer in range(settings.layers))
        self.norm = RMSNorm(settings.width, settings.norm_eps)
        self.head = None if settings.tied else nn.Parameter(torch.empty(settings.vocab_size, settings.width))
        cos, sin = rope_tables(settings.max_tokens, settings.head_size, settings.rope_theta)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        if seed is not None:
            self.initialise(seed)

    @torch.no_grad()
    def initialise(
        self, seed: int, *, embedding_std: float = 0.005, qk_gain: float = 1.2, zero_projections: bool = True
    ) -> None:
        """Draw fresh weights; the same seed gives the same weights on every machine.

        Source: nanochat's `init_weights` (uniform matrices of standard deviation 1/sqrt(D), zero output projections)
        and parameter-golf's embedding of std .005; `docs/decisions/model-initialisation.md` has the measurements.
        """
        generator = torch.Generator(device="cpu").manual_seed(seed)
        bound = (3.0 / self.settings.width) ** 0.5
        for name, weight in self.named_parameters():
            if weight.dim() == 1:
                weight.fill_(qk_gain if name.endswith(("q_norm.weight", "k_norm.weight")) else 1.0)
                continue
            fresh = torch.empty(weight.shape, dtype=torch.float32)
            if name == "embedding":
                fresh.normal_(0.0, embedding_std, generator=generator)
            elif name == "head":
                fresh.normal_(0.0, 0.001, generator=generator)
            elif zero_projections and name.endswith(("out.weight", "down.weight")):
                fresh.zero_()
            else:
                fresh.uniform_(-bound, bound, generator=generator)
            weight.copy_(fresh)

    @property
    def head_weight(self) -> torch.Tensor:
        """The output head, weight_VD; the embedding itself when tied."""
        return self.embedding if self.head is None else self.head

    def matrix_parts(self) -> dict[str, tuple[int, ...]]:
        """Parameter name of every hidden matrix -> rows of the logical matrices fused in it, in order.

        An optimizer that works on whole matrices splits by these: `weight.split(parts)`.
        """
        parts: dict[str, tuple[int, ...]] = {}
        for name, weight in self.named_parameters():
            if name.endswith("qkv.weight"):
                parts[name] = self.layers[0].attention.parts  # type: ignore[union-attr,assignment]
            elif name.endswith("gate_up.weight"):
                parts[name] = (self.settings.hidden, self.settings.hidden)
            elif weight.dim() == 2 and name not in ("embedding", "head"):
                parts[name] = (weight.shape[0],)
        return parts

    def hidden(
        self,
        ids_BT: torch.Tensor,
        positions_BT: torch.Tensor | None = None,
        segments_BT: torch.Tensor | None = None,
        cache: KVCache | None = None,
        taps: Taps | None = None,
    ) -> torch.Tensor:
        """x_BTD after the final norm.

        `segments_BT`: number of the document that each token of a packed row belongs to; documents never see each
        other, and positions restart in each unless given. `cache`: earlier keys and values; positions are then
        required and new tokens are stored there.
        """
        if positions_BT is None and segments_BT is not None:
            positions_BT = positions_of(segments_BT)
        reach = self._reach(positions_BT, segments_BT, cache)
        num_tokens = ids_BT.shape[1]
        if positions_BT is None:
            angles = (self.cos[:num_tokens], self.sin[:num_tokens])
        else:
            angles = (self.cos[positions_BT], self.sin[positions_BT])
        x_BTD = functional.embedding(ids_BT, self.embedding).to(self.compute_dtype)
        x_BTD = x_BTD if taps is None else taps.at("embedding", x_BTD)
        for block in self.layers:
            x_BTD = block(x_BTD, angles, reach, cache, positions_BT, taps)
        x_BTD = self.norm(x_BTD)
        return x_BTD if taps is None else taps.at("final", x_BTD)

    def _reach(
        self, positions_BT: torch.Tensor | None, segments_BT: torch.Tensor | None, cache: KVCache | None
    ) -> Reach:
        if cache is not None and not cache.fresh:
            if positions_BT is None or segments_BT is not None:
                raise ValueError("a cached call needs positions_BT, and one document per row")
            return Reach(cache_mask(positions_BT, cache.num_tokens))
        return Reach(segments=segments_BT)

    def forward(
        self,
        ids_BT: torch.Tensor,
        positions_BT: torch.Tensor | None = None,
        segments_BT: torch.Tensor | None = None,
        cache: KVCache | None = None,
        taps: Taps | None = None,
    ) -> torch.Tensor:
        """logits_BTV in fp32 of the token that comes next."""
        return self.unembed(self.hidden(ids_BT, positions_BT, segments_BT, cache, taps))

    def unembed(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits in fp32 (fp64 in fp64) from hidden states of any number of dimensions, the last of size D."""
        logits = multiply(hidden, self.head_weight)
        return logits.to(torch.promote_types(hidden.dtype, torch.float32))

    def token_nats(self, x_BTD: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
        """nats_BT: surprise at each target given the hidden state, in fp32, with a backward pass lean in memory."""
        return cross_entropy.token_nats(x_BTD, self.head_weight, targets_BT)

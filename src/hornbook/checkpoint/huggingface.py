"""Our decoder as Hugging Face describes it: `config.json` and the names of the weights, both ways."""

from collections.abc import Iterator
from typing import Any

import torch

from hornbook.core.errors import CheckpointError
from hornbook.model.decoder import Decoder
from hornbook.model.settings import ModelSettings

CLASSES = {"qwen3": "Qwen3ForCausalLM", "llama": "LlamaForCausalLM"}


def config_of(settings: ModelSettings, ids: dict[str, int]) -> dict[str, Any]:
    """The contents of `config.json`; `ids` holds bos_token_id, eos_token_id and pad_token_id where they exist.

    Rope is said twice: `rope_parameters` for transformers 5, `rope_theta` for older readers (vLLM, llama.cpp).
    """
    config: dict[str, Any] = {
        "architectures": [CLASSES[settings.architecture]],
        "model_type": settings.architecture,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "dtype": "float32",
        "head_dim": settings.head_size,
        "hidden_act": "silu",
        "hidden_size": settings.width,
        "initializer_range": 0.02,
        "intermediate_size": settings.hidden,
        "max_position_embeddings": settings.max_tokens,
        "num_attention_heads": settings.heads,
        "num_hidden_layers": settings.layers,
        "num_key_value_heads": settings.kv_heads,
        "rms_norm_eps": settings.norm_eps,
        "rope_parameters": {"rope_theta": settings.rope_theta, "rope_type": "default"},
        "rope_theta": settings.rope_theta,
        "tie_word_embeddings": settings.tied,
        "use_cache": True,
        "vocab_size": settings.vocab_size,
        **ids,
    }
    if settings.architecture == "qwen3":
        config |= {"use_sliding_window": False, "sliding_window": None, "max_window_layers": settings.layers}
        config["layer_types"] = ["full_attention"] * settings.layers
    else:
        config["mlp_bias"] = False
    return config


def settings_from(config: dict[str, Any], where: str) -> ModelSettings:
    """The sizes that a `config.json` describes, ours or foreign (Qwen3, Llama and what shares their class).

    Raises CheckpointError with one sentence for everything that this decoder cannot do.
    """
    _refuse(config, where)
    try:
        width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
        return ModelSettings(
            architecture=config["model_type"],
            vocab_size=config["vocab_size"],
            width=width,
            layers=config["num_hidden_layers"],
            heads=heads,
            kv_heads=config.get("num_key_value_heads") or heads,
            head_size=config.get("head_dim") or (128 if config["model_type"] == "qwen3" else width // heads),
            hidden=config["intermediate_size"],
            rope_theta=float(_rope(config).get("rope_theta", 10_000.0)),
            norm_eps=float(config.get("rms_norm_eps", 1e-6)),
            tied=bool(config.get("tie_word_embeddings", False)),
            max_tokens=config.get("max_position_embeddings", 2048),
        )
    except KeyError as error:
        raise CheckpointError(f'"{error.args[0]}" is missing', where=where, do="Use a complete model folder") from None
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"the sizes make no model: {error}", where=where) from None


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """Rope settings in whichever of the three places this generation of transformers wrote them."""
    rope = dict(config.get("rope_parameters") or {})
    for name, value in (config.get("rope_scaling") or {}).items():
        rope.setdefault({"type": "rope_type"}.get(name, name), value)
    if "rope_theta" in config:
        rope.setdefault("rope_theta", config["rope_theta"])
    return rope


def _refuse(config: dict[str, Any], where: str) -> None:
    kind = config.get("model_type", "nothing")
    if kind not in CLASSES:
        extra = "; its attention has biases, which this decoder does not have" if kind == "qwen2" else ""
        do = f"Models that can be read: {', '.join(sorted(CLASSES))}"
        raise CheckpointError(f'the model type is "{kind}"{extra}', where=where, do=do)
    rope = _rope(config).get("rope_type", "default")
    checks = (
        (config.get("hidden_act", "silu") != "silu", f'the activation is "{config.get("hidden_act")}", not silu'),
        (bool(config.get("attention_bias")), "attention has biases"),
        (bool(config.get("mlp_bias")), "the feed-forward has biases"),
        (bool(config.get("use_sliding_window")), "attention uses a sliding window"),
        (rope != "default", f'rotary positions are scaled ("{rope}")'),
        (config.get("quantization_config") is not None, "the weights are quantised"),
    )
    for wrong, sentence in checks:
        if wrong:
            do = "Choose a model without it, or serve this one with vLLM or transformers"
            raise CheckpointError(f"{sentence}, which this decoder does not do", where=where, do=do)


def weights_of(model: Decoder) -> dict[str, torch.Tensor]:
    """Every weight in fp32 under its Hugging Face name, fused matrices split."""
    ours, parts = dict(model.named_parameters()), model.matrix_parts()
    weights: dict[str, torch.Tensor] = {}
    for name, sources in names(model.settings):
        rows = parts.get(name, (ours[name].shape[0],))
        for source, part in zip(sources, ours[name].split(rows), strict=True):
            weights[source] = part.detach().to("cpu", torch.float32).contiguous()
    return weights


def names(settings: ModelSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Our name of each weight, and the Hugging Face names that it is stored under, in order of rows."""
    yield "embedding", ("model.embed_tokens.weight",)
    for layer in range(settings.layers):
        ours, theirs = f"layers.{layer}", f"model.layers.{layer}"
        yield f"{ours}.attention_norm.weight", (f"{theirs}.input_layernorm.weight",)
        yield f"{ours}.attention.qkv.weight", tuple(f"{theirs}.self_attn.{part}_proj.weight" for part in "qkv")
        yield f"{ours}.attention.out.weight", (f"{theirs}.self_attn.o_proj.weight",)
        if settings.qk_norm:
            yield f"{ours}.attention.q_norm.weight", (f"{theirs}.self_attn.q_norm.weight",)
            yield f"{ours}.attention.k_norm.weight", (f"{theirs}.self_attn.k_norm.weight",)
        yield f"{ours}.mlp_norm.weight", (f"{theirs}.post_attention_layernorm.weight",)
        yield f"{ours}.mlp.gate_up.weight", (f"{theirs}.mlp.gate_proj.weight", f"{theirs}.mlp.up_proj.weight")
        yield f"{ours}.mlp.down.weight", (f"{theirs}.mlp.down_proj.weight",)
    yield "norm.weight", ("model.norm.weight",)
    if not settings.tied:
        yield "head", ("lm_head.weight",)


@torch.no_grad()
def fill(model: Decoder, weights: dict[str, torch.Tensor], where: str) -> None:
    """Put Hugging Face weights into our decoder; CheckpointError names what is missing, left over or misshapen."""
    ours = dict(model.named_parameters())
    wanted = {source for _, sources in names(model.settings) for source in sources}
    ignored = {name for name in weights if name.endswith("rotary_emb.inv_freq")}
    if model.settings.tied:
        ignored.add("lm_head.weight")
    missing, extra = sorted(wanted - set(weights)), sorted(set(weights) - wanted - ignored)
    if missing or extra:
        said = [
            f"{len(some)} weights {word}, {some[0]}"
            for some, word in ((missing, "missing"), (extra, "unknown"))
            if some
        ]
        do = "The config and the weights belong to different models, or the file is incomplete"
        raise CheckpointError("; ".join(said), where=where, do=do)
    for name, sources in names(model.settings):
        fused = torch.cat([weights[source].to(torch.float32) for source in sources])
        if fused.shape != ours[name].shape:
            found = f"{sources[0]} has shape {tuple(weights[sources[0]].shape)}, which does not fit the config"
            raise CheckpointError(found, where=where, do="The config and the weights belong to different models")
        ours[name].copy_(fused)

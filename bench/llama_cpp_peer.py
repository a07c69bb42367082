"""llama.cpp's side of bench/decode.py, in a process and an environment of its own.

    .peers/bin/python bench/llama_cpp_peer.py MODEL_FOLDER FORMAT THREADS NUM_TOKENS

Writes the folder's weights as GGUF (Qwen3, no vocabulary) in FORMAT (fp32, bf16 or q8_0) and prints "ready". Then each
line of input, a JSON list of prompts (lists of ids, of one length), is answered with a line of JSON: the greedy
continuations. All rows are decoded together as sequences of one batch, as llama.cpp's server does.
"""

import ctypes
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import gguf  # pyright: ignore[reportMissingImports]  # the peers have it
import llama_cpp  # pyright: ignore[reportMissingImports]
import numpy
from safetensors.numpy import load_file

FORMATS = {
    "fp32": (gguf.LlamaFileType.ALL_F32, gguf.GGMLQuantizationType.F32),
    "bf16": (gguf.LlamaFileType.MOSTLY_BF16, gguf.GGMLQuantizationType.BF16),
    "q8_0": (gguf.LlamaFileType.MOSTLY_Q8_0, gguf.GGMLQuantizationType.Q8_0),
}


def answer(folder: Path, name: str, num_threads: int, num_tokens: int) -> None:
    """Answer lines until there are no more."""
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.gguf"
        write_gguf(folder, file, name)
        model = llama_cpp.llama_model_load_from_file(str(file).encode(), llama_cpp.llama_model_default_params())
    vocab_size = json.loads((folder / "config.json").read_text())["vocab_size"]
    sides: dict[int, Side] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        prompts = json.loads(line)
        if len(prompts) not in sides:
            sides[len(prompts)] = Side(model, len(prompts), len(prompts[0]) + num_tokens, num_threads, vocab_size)
        print(json.dumps(sides[len(prompts)].generate(prompts, num_tokens)), flush=True)


@llama_cpp.llama_log_callback
def quiet(level: int, text: bytes, user_data: Any) -> None:
    """llama.cpp says much about every model; nothing of it is wanted here."""


class Side:
    """A context for so many sequences of so many tokens."""

    def __init__(self, model: Any, num_rows: int, row_tokens: int, num_threads: int, vocab_size: int) -> None:
        settings = llama_cpp.llama_context_default_params()
        room_tokens = -(-row_tokens // 256) * 256
        settings.n_ctx = num_rows * room_tokens
        settings.n_batch = settings.n_ubatch = num_rows * row_tokens
        settings.n_seq_max = num_rows
        settings.n_threads = settings.n_threads_batch = num_threads
        self.context = llama_cpp.llama_init_from_model(model, settings)
        if not self.context:
            raise RuntimeError("llama.cpp made no context")
        self.batch = llama_cpp.llama_batch_init(num_rows * row_tokens, 0, 1)
        self.vocab_size = vocab_size

    def generate(self, prompts: list[list[int]], num_tokens: int) -> list[list[int]]:
        """The greedy continuation of every prompt."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        texts: list[list[int]] = [[] for _ in prompts]
        places = self.decode([(row, at, ids) for row, prompt in enumerate(prompts) for at, ids in enumerate(prompt)])
        last = [place + len(prompts[0]) - 1 for place in places[:: len(prompts[0])]]
        for step in range(num_tokens):
            for row, place in enumerate(last):
                texts[row].append(self.likeliest(place))
            if step + 1 < num_tokens:
                at = len(prompts[0]) + step
                last = self.decode([(row, at, text[-1]) for row, text in enumerate(texts)])
        return texts

    def decode(self, tokens: list[tuple[int, int, int]]) -> list[int]:
        """Process (row, position, id); the places of their logits."""
        batch = self.batch
        batch.n_tokens = len(tokens)
        for place, (row, position, identity) in enumerate(tokens):
            batch.token[place], batch.pos[place] = identity, position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, row
            following = tokens[place + 1 : place + 2]
            batch.logits[place] = not following or following[0][0] != row
        if llama_cpp.llama_decode(self.context, batch):
            raise RuntimeError("llama.cpp could not decode the batch")
        return list(range(len(tokens)))

    def likeliest(self, place: int) -> int:
        """The id with the largest logit."""
        logits = llama_cpp.llama_get_logits_ith(self.context, place)
        return int(numpy.ctypeslib.as_array(logits, shape=(self.vocab_size,)).argmax())


def write_gguf(folder: Path, file: Path, name: str) -> None:
    """A checkpoint folder of ours in llama.cpp's format: metadata and tensors, without a vocabulary."""
    config = json.loads((folder / "config.json").read_text())
    file_type, kind = FORMATS[name]
    writer = gguf.GGUFWriter(file, "qwen3")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    writer.add_file_type(file_type)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, config["num_hidden_layers"])
    for source, weight in load_file(folder / "model.safetensors").items():
        target = names.get_name(source, try_suffixes=(".weight",))
        packed = kind if weight.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(target, gguf.quantize(weight, packed), raw_dtype=packed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    answer(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

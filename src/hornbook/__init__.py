"""Hornbook builds a small language model end to end. From Python:

    import hornbook
    run = hornbook.open_run("runs/demo")
    model = hornbook.load_model("runs/demo")
    hornbook.generate(model, "Once upon a time", max_tokens=60)
    hornbook.score(model, "The cat sat on the mat.")

Nothing is imported until a function is called; the commands and the recipes are the full interface.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hornbook.core.artifact import Artifact
    from hornbook.engine.local import LocalModel

__all__ = ["generate", "load_model", "open_run", "score"]


def open_run(run: str | Path) -> "dict[str, Artifact]":
    """The finished artifacts of a run by the id of their stage, in pipeline order.

    `run`: a run's folder, or its name under `runs/`. Raises ArtifactError when it is no run.
    """
    from hornbook.cli.find import find_run
    from hornbook.core.artifact import open_artifact

    files = sorted(find_run(str(run)).glob("[0-9]*-*/manifest.json"))
    return {artifact.name: artifact for artifact in (open_artifact(file.parent) for file in files)}


def load_model(model: str | Path, *, compiled: bool = False) -> "LocalModel":
    """A model ready for use: of a run (its chat model if it has one), of one stage (`demo/base`), or of any folder.

    `compiled`: build fast decode steps for long or many texts; a first compile takes about half a minute.
    Raises ArtifactError or CheckpointError that says what is there instead.
    """
    from hornbook.engine.local import load
    from hornbook.serve.pick import pick

    return load(pick(str(model)).folder, compiled=compiled)


def generate(
    model: "LocalModel",
    prompt: str | Sequence[Mapping[str, str]],
    *,
    max_tokens: int = 200,
    temperature: float = 0.7,
    seed: int | None = None,
    stop: Sequence[str] = (),
) -> str:
    """What the model writes after a text, or its answer to messages such as `[{"role": "user", "content": "Hi"}]`.

    Raises EngineError when the prompt is longer than the model's context.
    """
    from hornbook.core.conversation import Message
    from hornbook.engine.interface import Request
    from hornbook.tokenizer.chat import render

    tokenizer = model.tokenizer
    if isinstance(prompt, str):
        ids = [tokenizer.bos_id, *tokenizer.encode(prompt)]
    else:
        messages = [Message(**message) for message in prompt]  # pyright: ignore[reportArgumentType]
        ids = render(messages, tokenizer, add_generation_prompt=True).ids
    request = Request(tuple(ids), max_tokens, temperature=temperature, seed=seed, stop=tuple(stop))
    return model.generate([request])[0].text


def score(model: "LocalModel", text: str) -> float:
    """Bits per byte of a text after BOS, end of text not counted; less is likelier.

    Raises DataError when the text is empty and EngineError when it is longer than the model's context.
    """
    from hornbook.core.errors import DataError
    from hornbook.core.units import bits_per_byte

    if not text:
        raise DataError("the text to score is empty")
    tokenizer = model.tokenizer
    logp = model.score([[tokenizer.bos_id, *tokenizer.encode(text)]])[0]
    return bits_per_byte(-float(logp.sum()), len(text.encode("utf-8")))

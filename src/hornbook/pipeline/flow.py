"""The whole way of a run's documents, from what came in to what a model learns from."""

from dataclasses import replace
from typing import Any

from hornbook.data.ledger import read_funnel
from hornbook.pipeline.history import RunView, StageView
from hornbook.report.blocks import Block, Flow, FlowStep

TITLE = "Where the documents went"
NOTE = (
    "Shares are of what came into the first step. A document leaves under the first rule that finds it. "
    "`hornbook why RUN ADDRESS` says what became of a single page."
)


def flow(run: RunView) -> list[Block]:
    """The river of documents that ends in the run's tokens (or its last documents); nothing while there is none."""
    chain = _chain(run)
    if not chain:
        return []
    steps: list[FlowStep] = []
    for stage in chain:
        step = _step(stage)
        if steps and steps[-1].num_kept < step.num_in:
            step = replace(step, name=f"{step.name} (+{step.num_in - steps[-1].num_kept:,})")
        steps.append(step)
    said = _tokens(run, chain[-1])
    if said:
        steps[-1] = replace(steps[-1], note=said)
    return [Flow(TITLE, steps, "documents", NOTE)]


def totals(run: RunView) -> tuple[int, int] | None:
    """How many documents came in, at all beginnings of the river, and how many are left at its end."""
    chain = _chain(run)
    if not chain:
        return None
    documents, num_in = _documents(run), 0
    waiting, seen = [chain[-1].id], {chain[-1].id}
    while waiting:
        stage = documents[waiting.pop()]
        before = [name for name in _documents_of(stage) if name in documents]
        num_in += 0 if before else read_funnel(stage.path)["in"]
        waiting += [name for name in before if name not in seen]
        seen.update(before)
    return num_in, read_funnel(chain[-1].path)["kept"]


def _documents(run: RunView) -> dict[str, StageView]:
    """The stages that made documents, by name."""
    return {s.id: s for s in run.stages if s.artifact is not None and s.artifact.kind == "documents" and _has(s)}


def _chain(run: RunView) -> list[StageView]:
    """The stages that the last documents rest on, first to last; where several meet, the largest of them."""
    documents = _documents(run)
    if not documents:
        return []
    tokens = [s for s in run.stages if s.artifact is not None and s.artifact.kind == "tokens"]
    ends = [name for s in tokens[:1] for name in _documents_of(s) if name in documents]
    current = documents[ends[0]] if ends else list(documents.values())[-1]
    chain = [current]
    while before := [
        documents[name] for name in _documents_of(current) if name in documents and documents[name] not in chain
    ]:
        current = max(before, key=lambda stage: read_funnel(stage.path)["kept"])
        chain.append(current)
    return chain[::-1]


def _has(stage: StageView) -> bool:
    try:
        return bool(read_funnel(stage.path)["in"])
    except (OSError, ValueError, KeyError):
        return False


def _documents_of(stage: StageView) -> list[str]:
    """The stages whose documents it took: those read as `documents`, not references that were only looked at.

    A stage of the user's own may call them otherwise; then all that it read counts.
    """
    assert stage.artifact is not None
    parents = stage.artifact.manifest.parents
    found: list[str] = []
    for value in [parents["documents"]] if "documents" in parents else parents.values():
        found += [str(item["id"]) for item in (value if isinstance(value, list) else [value])]
    return found


def _step(stage: StageView) -> FlowStep:
    funnel: dict[str, Any] = read_funnel(stage.path)
    return FlowStep(
        stage.id,
        funnel["in"],
        funnel["kept"],
        funnel.get("bytes_in", 0),
        funnel.get("bytes_kept", 0),
        funnel["dropped"],
    )


def _tokens(run: RunView, last: StageView) -> str:
    for stage in run.stages:
        if stage.artifact is not None and stage.artifact.kind == "tokens" and last.id in _documents_of(stage):
            return f"{stage.artifact.manifest.counts.get('train_tokens', 0):,} tokens to learn from"
    return ""

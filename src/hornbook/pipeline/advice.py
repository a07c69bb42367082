"""What to try next: a few rules over what a run measured, each sentence with the numbers it rests on."""

from hornbook.pipeline.describe import funnel_of, score_records
from hornbook.pipeline.history import RunView, StageView, read_records
from hornbook.report.blocks import quantity, share

STILL_FALLING = 0.02
BIG_RULE = 0.25
MANY_EPOCHS = 6.0


def advice(run: RunView) -> list[str]:
    """Sentences for the reader, the most pressing first; empty when there is nothing worth saying."""
    said: list[str] = []
    for stage in run.stages:
        if stage.state == "failed":
            said.append(f'Mend what stopped "{stage.id}" (above) and give the same command: what is finished is kept.')
    for stage in run.stages:
        if stage.artifact is not None:
            said += [*_scores(stage), *_funnel(stage), *_training(stage), *_tokens(stage)]
    if not said and run.state == "complete":
        said.append("Nothing stands out. A larger budget, or more documents, is the next thing to measure.")
    return said


def _scores(stage: StageView) -> list[str]:
    """Bars that were missed, with the distance, and whether the interval leaves it open."""
    if stage.artifact is None or stage.artifact.kind != "scores":
        return []
    said: list[str] = []
    for score in score_records(stage.artifact):
        bar, value = score.get("bar"), score.get("value")
        if bar is None or value is None:
            continue
        lower = bool(score.get("lower_is_better"))
        if (value <= bar) if lower else (value >= bar):
            continue
        reach = score.get("low") if lower else score.get("high")
        cases = score.get("num_cases", 0)
        is_open = reach is not None and ((reach <= bar) if lower else (reach >= bar))
        hint = (
            f"; its interval reaches the bar, so more than {cases} cases are needed to tell"
            if is_open
            else "; read its samples for what goes wrong"
        )
        unit = str(score.get("unit", ""))
        shown, needed = quantity(value, unit), quantity(bar, unit)
        said.append(f'"{score.get("title", score.get("name"))}" is {shown} against a bar of {needed}{hint}.')
    return said


def _funnel(stage: StageView) -> list[str]:
    funnel = funnel_of(stage.artifact) if stage.artifact and stage.artifact.kind == "documents" else None
    if funnel is None or funnel.num_in < 20:
        return []
    return [
        f'"{stage.id}" left out {share(count, funnel.num_in)} of its documents by the rule {rule}: '
        f"read some with `hornbook look {stage.path} --rule {rule}` before trusting it."
        for rule, count in funnel.dropped.items()
        if count > BIG_RULE * funnel.num_in
    ]


def _training(stage: StageView) -> list[str]:
    """Whether the curve is still falling at its end, and whether training has left validation behind."""
    if stage.artifact is None or stage.artifact.kind != "checkpoint":
        return []
    records = read_records(stage.artifact.path / "metrics.jsonl")
    for name, unit in (("validation_bits_per_byte", "bits per byte"), ("validation_nats", "nats per token")):
        curve = [float(r[name]) for r in records if isinstance(r.get(name), (int, float))]
        if len(curve) < 4:
            continue
        best = min(curve)
        if curve[-1] > best * (1 + STILL_FALLING):
            return [
                f'"{stage.id}" was best at {best:.3f} {unit} and ended at {curve[-1]:.3f}: it learns by heart. '
                "Give it more documents or a smaller budget."
            ]
        before = curve[len(curve) * 3 // 4 - 1]
        if curve[-1] < before * (1 - STILL_FALLING):
            return [
                f'"{stage.id}" was still improving ({before:.3f} to {curve[-1]:.3f} {unit} over its last quarter): '
                "a larger budget should help."
            ]
    return []


def _tokens(stage: StageView) -> list[str]:
    epochs = stage.derived.get("epochs")
    if isinstance(epochs, (int, float)) and epochs > MANY_EPOCHS:
        return [f'"{stage.id}" saw its documents about {epochs:.0f} times: more text would help more than more steps.']
    return []

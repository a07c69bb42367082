"""Named sizes: each is a starting point that a recipe may override field by field."""

from hornbook.core.errors import SettingsError
from hornbook.core.settings import did_you_mean
from hornbook.model.settings import ModelSettings


def presets() -> dict[str, ModelSettings]:
    """Every named size, smallest first.

    Source of the shapes: depth and width keep d / L between 16 and 64, heads have 64 numbers, the embedding stays
    near a fifth of the parameters or less, all sizes are multiples of 32.
    """
    return {
        "tiny": ModelSettings(vocab_size=512, width=64, layers=2, heads=2, kv_heads=1, head_size=32, hidden=96),
        "world-2m": ModelSettings(vocab_size=2048, width=192, layers=4, heads=3, kv_heads=3, hidden=512),
        "story-3m": ModelSettings(vocab_size=4096, width=192, layers=6, heads=3, kv_heads=3, hidden=512),
        "story-10m": ModelSettings(vocab_size=4096, width=320, layers=8, heads=5, kv_heads=5, hidden=864),
        "story-30m": ModelSettings(vocab_size=8192, width=512, layers=8, heads=8, kv_heads=4, hidden=1408),
        "story-60m": ModelSettings(vocab_size=16384, width=640, layers=10, heads=10, kv_heads=5, hidden=1728),
        "story-100m": ModelSettings(vocab_size=16384, width=768, layers=12, heads=12, kv_heads=4, hidden=2048),
    }


def preset(name: str, **changes: object) -> ModelSettings:
    """The named size with some fields changed, `preset("story-10m", vocab_size=2048)`.

    Raises SettingsError for a name that does not exist, with the nearest one that does.
    """
    known = presets()
    if name not in known:
        raise SettingsError(f'no model size is called "{name}"{did_you_mean(name, list(known))}')
    return ModelSettings.model_validate({**known[name].model_dump(), **changes})

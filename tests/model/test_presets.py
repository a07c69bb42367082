import pytest

from hornbook.core.errors import SettingsError
from hornbook.model.presets import preset, presets


def test_sizes_fit_the_formats_they_are_exported_to() -> None:
    for name, settings in presets().items():
        for size in (settings.width, settings.hidden, settings.heads * settings.head_size, settings.vocab_size):
            assert size % 32 == 0, name


def test_smallest_first() -> None:
    sizes = [settings.num_parameters() for settings in presets().values()]
    assert sizes == sorted(sizes)


def test_fields_can_be_changed_and_mistakes_name_the_nearest() -> None:
    assert preset("story-10m", vocab_size=2048).vocab_size == 2048
    with pytest.raises(SettingsError, match='did you mean "story-10m"'):
        preset("story-10mb")

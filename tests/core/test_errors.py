import errno
import pickle
import resource

import numpy as np
import pytest

from hornbook.core.errors import (
    ArtifactError,
    CheckpointError,
    DataError,
    EngineError,
    HornbookError,
    ServeError,
    SettingsError,
    TrainingError,
    is_disk_full,
)

PARENTS = {
    SettingsError: ValueError,
    ArtifactError: OSError,
    DataError: ValueError,
    CheckpointError: ValueError,
    TrainingError: RuntimeError,
    EngineError: RuntimeError,
    ServeError: RuntimeError,
}


@pytest.mark.parametrize(("kind", "parent"), PARENTS.items())
def test_each_error_is_also_the_standard_type_and_survives_a_process_border(kind, parent):
    error = kind("found 3 pages", where="a.warc", do="Give more", exit_code=1)
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, parent) and isinstance(copy, HornbookError) and type(copy) is kind
    assert str(copy) == "found 3 pages (a.warc). Give more."
    assert copy.exit_code == 1 and kind("x").exit_code == 2


def test_a_question_ends_its_own_sentence():
    assert str(SettingsError('no "wbe"; did you mean "web"?', do="Give a file.")) == (
        'no "wbe"; did you mean "web"? Give a file.'
    )
    assert str(SettingsError('did you mean "web"?', where="a.toml")) == 'did you mean "web"? (a.toml).'


def test_the_tree_drawn_in_the_docstring_is_the_tree():
    import hornbook.core.errors as module

    for kind in HornbookError.__subclasses__():
        assert kind.__name__ in module.__doc__


def test_disk_full_is_found_behind_other_errors():
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as inner:
            raise DataError("could not write") from inner
    except DataError as error:
        assert is_disk_full(error)
    assert not is_disk_full(OSError(errno.ENOENT, "no")) and not is_disk_full(OSError("3 of 4 written"))


def test_a_full_disk_is_known_as_numpy_says_it(tmp_path):
    """Its writers lose the number of the error."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="requested and") as caught:
            np.save(tmp_path / "a.npy", np.zeros(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.errno is None and is_disk_full(caught.value)
    assert is_disk_full(OSError("Not enough free space to write 17000000 bytes"))

"""The one tree of errors: what was found, where, and what to do about it.

    HornbookError                 (Exception)
    ├── SettingsError             (ValueError)         a recipe, profile, option or setting is wrong
    ├── ArtifactError             (OSError)            a folder on disk is missing, incomplete or of another kind
    ├── DataError                 (ValueError)         documents, conversations or tasks cannot be used
    ├── CheckpointError           (ValueError)         a model folder cannot be read or written
    ├── TrainingError             (RuntimeError)       training cannot go on
    ├── EngineError               (RuntimeError)       generation or scoring cannot go on
    └── ServeError                (RuntimeError)       a request or the server cannot be satisfied

Each is also the fitting standard type. `exit_code` is 2 for the user's mistakes and 1 for failures of the machine.
To add one: subclass here, draw it above, give it a standard parent.
"""


class HornbookError(Exception):
    """Anything that can be explained to the user in one paragraph.

    `found` says what is wrong, `where` names the file, setting or record, `do` says what to do next.
    """

    exit_code = 2

    def __init__(self, found: str, *, where: str = "", do: str = "", exit_code: int | None = None) -> None:
        self.found = found
        self.where = where
        self.do = do
        if exit_code is not None:
            self.exit_code = exit_code
        super().__init__(found)

    def __str__(self) -> str:
        parts = [self.found.rstrip(".")]
        if self.where:
            parts[0] += f" ({self.where})"
        if self.do:
            parts.append(self.do.rstrip("."))
        return " ".join(part if part.endswith("?") else f"{part}." for part in parts)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders whole (exceptions with keyword arguments otherwise cannot be unpickled)."""
        return (_rebuild, (type(self), self.found, self.where, self.do, self.exit_code))


class SettingsError(HornbookError, ValueError):
    """A recipe, a profile, a command-line option or a setting is wrong."""


class ArtifactError(HornbookError, OSError):
    """A folder that a stage reads or writes is missing, incomplete, damaged or of another kind."""


class DataError(HornbookError, ValueError):
    """Documents, conversations or tasks cannot be used as they are."""


class CheckpointError(HornbookError, ValueError):
    """A model folder cannot be read or written."""


class TrainingError(HornbookError, RuntimeError):
    """Training cannot go on."""


class EngineError(HornbookError, RuntimeError):
    """Generation or scoring cannot go on."""


class ServeError(HornbookError, RuntimeError):
    """A request, or the server itself, cannot be satisfied."""


def _rebuild(kind: type[HornbookError], found: str, where: str, do: str, exit_code: int) -> HornbookError:
    return kind(found, where=where, do=do, exit_code=exit_code)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or any error it came from, says that the disk or the quota is full."""
    import errno
    import re

    without_number = r"\d+ requested and \d+ written|Not enough free space to write \d+ bytes"  # so numpy says it
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and (
            seen.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or re.fullmatch(without_number, str(seen))
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False

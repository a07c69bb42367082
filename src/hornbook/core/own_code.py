"""Python files of the user's own that a recipe names by path: stages and filters."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from hornbook.core.errors import HornbookError, SettingsError


def load_own(path: Path, name: str, where: str = "") -> tuple[ModuleType, str]:
    """The module in a file, and a hash of its contents; a file that has not changed is run once in a process.

    `name`: what the recipe calls it, `where`: which part of the recipe does, for messages. Raises SettingsError that
    names the line when the file cannot be imported.
    """
    source_hash = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    place = hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()
    module_name = f"hornbook_local_{path.stem}_{place}_{source_hash[:8]}"
    module = sys.modules.get(module_name)
    if module is not None:
        return module, source_hash
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f'"{name}" is not a Python file', where=where)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except HornbookError:
        del sys.modules[module_name]
        raise
    except Exception as error:
        del sys.modules[module_name]
        found = f'the file "{name}" fails when imported: {error!r}'
        raise SettingsError(found, where=_line_in(error, path)) from error
    return module, source_hash


def _line_in(error: BaseException, path: Path) -> str:
    """`file:line` of the deepest frame of the traceback that lies in the user's file."""
    if isinstance(error, SyntaxError):
        return f"{path}:{error.lineno}"
    line, step = 0, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    return f"{path}:{line}" if line else str(path)

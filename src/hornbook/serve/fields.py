"""Reading single fields of a request: right types or a sentence that names the field; unknown fields are ignored."""

import json
import math
from typing import Any

from hornbook.serve.api_error import bad_request

MAX_STOPS = 64


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises ApiError when it is not one."""
    try:
        data = json.loads(body)
    except RecursionError:
        raise bad_request("The body is nested too deeply.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise bad_request(f"The body is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise bad_request(f"The body must be a JSON object, not {type_name(data)}.")
    return data


def type_name(value: Any) -> str:
    """How JSON calls a value's type."""
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "an object",
    }
    return names.get(type(value), type(value).__name__)


def whole(data: dict[str, Any], name: str, default: int, low: int, high: int) -> int:
    """A whole number within bounds; absent or null is the default."""
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request(f'"{name}" must be a whole number, not {shown(value)}.', name)
    if not low <= value <= high:
        raise bad_request(f'"{name}" must be from {low:,} to {high:,}, not {shown(value)}.', name)
    return value


def number(data: dict[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A finite number within bounds; absent or null is the default."""
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e300 < value < 1e300:
        raise bad_request(f'"{name}" must be a number, not {shown(value)}.', name)
    if math.isnan(value) or not low <= value <= high:
        raise bad_request(f'"{name}" must be from {low:g} to {high:g}, not {shown(value)}.', name)
    return float(value)


def flag(data: dict[str, Any], name: str, default: bool = False) -> bool:
    """A boolean; absent or null is the default."""
    value = data.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise bad_request(f'"{name}" must be true or false, not {shown(value)}.', name)
    return value


def text(value: Any, name: str) -> str:
    """A string that can be written as UTF-8 (lone surrogates, which JSON allows, become U+FFFD)."""
    if not isinstance(value, str):
        raise bad_request(f'"{name}" must be a string, not {type_name(value)}.', name)
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def stops(data: dict[str, Any]) -> tuple[str, ...]:
    """Stop strings: one or a list; empty ones can never be met and are left out."""
    value = data.get("stop")
    if value is None:
        return ()
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise bad_request('"stop" must be a string or an array of strings.', "stop")
    if len(items) > MAX_STOPS:
        raise bad_request(f'"stop" has {len(items)} strings; at most {MAX_STOPS} are allowed.', "stop")
    return tuple(dict.fromkeys(text(item, "stop") for item in items if item))


def token_ids(value: list[Any], vocab_size: int, name: str) -> list[int]:
    """Token ids of this model's vocabulary."""
    for item in value:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item < vocab_size:
            raise bad_request(f'"{name}" has the token id {shown(item)}; ids are 0 to {vocab_size - 1:,}.', name)
    return value


def shown(value: Any) -> str:
    """A value in a message, never long."""
    if isinstance(value, list | dict):
        return type_name(value)
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a number that large"
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= 60 else written[:57] + "…"

"""What the server allows: addresses, key and limits."""

import ipaddress

import pydantic

from hornbook.core.errors import ServeError
from hornbook.core.settings import StrictSettings


class ServeSettings(StrictSettings):
    """Address, key and limits of one server."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = pydantic.Field(default=8000, ge=0, le=65535)
    """The port to listen on; 0 takes any free one."""
    api_key: str = ""
    """When set, every request needs `Authorization: Bearer KEY`."""
    open_to_all: bool = False
    """Listen on a public address without an API key."""
    allow_origins: tuple[str, ...] = ()
    """Other web pages that may call this server from a browser, as `https://host:port`."""
    num_slots: int = pydantic.Field(default=16, ge=1, le=256)
    """Texts written at the same time."""
    max_body_bytes: int = pydantic.Field(default=4 << 20, gt=0)
    """The largest body of a request."""
    max_tokens: int = pydantic.Field(default=4096, gt=0)
    """The longest answer, whatever a request asks for (and never more than the context has room for)."""
    max_waiting: int = pydantic.Field(default=64, ge=0)
    """Texts that may wait for a free place before new requests get 429."""
    max_texts: int = pydantic.Field(default=256, gt=0)
    """Texts (prompts times `n`) in one request."""
    max_request_s: float = pydantic.Field(default=600.0, gt=0)
    """Seconds one request may take."""
    flush_s: float = pydantic.Field(default=0.04, ge=0)
    """Seconds between pieces of a stream: a fast model's tokens travel together. The first and the last never wait."""


def check_address(settings: ServeSettings) -> None:
    """Refuse to be reachable from other machines without a key. Raises ServeError."""
    if settings.api_key or settings.open_to_all or is_loopback(settings.host):
        return
    raise ServeError(
        f"listening on {settings.host} would let every machine of the network use this model without a key",
        do="Set --api-key (or HORNBOOK_API_KEY), or say --open-to-all if that is wanted",
    )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

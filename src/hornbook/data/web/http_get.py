"""GET over HTTP for addresses that strangers chose: bounded in time and bytes, and never inside one's own network."""

import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from hornbook.data.web.http_body import undo

BLOCK_BYTES = 1 << 16
NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNESCAPED = "%/:=&?~#+!$,;'@()*[]"
LENGTH = re.compile("[0-9]{1,18}")
SPACES = re.compile(r"[ \t\r\n]+")
"""White space of HTTP: \\xa0 and \\x85 are bytes of raw UTF-8 here."""


class GetError(Exception):
    """Why there is no answer. `rule`: which kind of trouble; `found`: what exactly; `passing`: a later try may help."""

    def __init__(self, rule: str, found: str, passing: bool = False) -> None:
        super().__init__(f"{rule}: {found}")
        self.rule, self.found, self.passing = rule, found, passing
        self.wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class Manners:
    """How to ask: who one is, how long one waits (for a block, for everything), how much one takes, and where from."""

    user_agent: str
    timeout_s: float = 20.0
    total_s: float = 120.0
    max_bytes: int = 5_000_000
    private: bool = False


@dataclass(slots=True)
class Answer:
    """An answer whose body has not been read: `headers` in order; `header(name)` is the first of that name."""

    url: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    response: http.client.HTTPResponse
    deadline_s: float

    def header(self, name: str) -> str:
        """The first header of this name, "" when there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def length(self) -> int | None:
        """The bytes that Content-Length states, None when it states none that can be read."""
        stated = self.header("content-length")
        return int(stated) if LENGTH.fullmatch(stated) else None

    def blocks(self) -> Iterator[bytes]:
        """The body as it comes (chunks joined). Raises GetError when it ends early or takes too long."""
        with _explained(self.deadline_s):
            while block := self.response.read(BLOCK_BYTES):
                yield block
            if self.response.length:  # read() with a size does not complain
                raise GetError("truncated", f"{self.response.length} bytes are missing", passing=True)

    def body(self, max_bytes: int) -> bytes:
        """The whole body, its compression undone. Raises GetError ("too_large", "bad_answer", ...)."""
        if self.length is not None and self.length > max_bytes:
            raise GetError("too_large", str(self.length))
        parts: list[bytes] = []
        size = 0
        for block in self.blocks():
            parts.append(block)
            size += len(block)
            if size > max_bytes:
                raise GetError("too_large", f"more than {max_bytes}")
        data, flaw, found = undo(b"".join(parts), "", self.header("content-encoding"), max_bytes)
        if flaw:
            raise GetError("too_large" if flaw == "too_large" else "bad_answer", found)
        return data


def normal(url: str) -> str:
    """An address as it is asked for: host in lower case ASCII, no fragment, no default port, odd characters escaped.

    Raises GetError ("bad_url") for anything but http and https with a host, and for names and passwords in it.

    >>> normal(" HTTP://Bücher.Example:80/a b?q=ä#top ")
    'http://xn--bcher-kva.example/a%20b?q=%C3%A4'
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise GetError("bad_url", str(error)) from None
    if parts.scheme not in ("http", "https") or not host:
        raise GetError("bad_url", "no http or https address" if host or not parts.scheme else "no host in it")
    if "@" in parts.netloc:
        raise GetError("bad_url", "a name or password stands in it")
    try:
        host = host.encode("ascii").decode() if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        raise GetError("bad_url", "its host is no name") from None
    if any(not (sign.isalnum() or sign in "-._:") for sign in host) or len(host) > 253:
        raise GetError("bad_url", "its host is no name")
    host = f"[{host}]" if ":" in host else host.rstrip(".")
    place = host if port in (None, 80 if parts.scheme == "http" else 443) else f"{host}:{port}"
    path = quote(parts.path or "/", safe=UNESCAPED, errors="replace")
    return urlunsplit((parts.scheme, place, path, quote(parts.query, safe=UNESCAPED, errors="replace"), ""))


@contextmanager
def opened(url: str, manners: Manners, headers: dict[str, str] | None = None) -> Iterator[Answer]:
    """Ask for a (normal) address; gives the answer's head, its body is still to be read. No redirect is followed.

    The name is resolved once, every address it has is checked, and that address is connected to: a name that means
    something else a moment later changes nothing. Raises GetError.
    """
    parts = urlsplit(url)
    deadline_s = time.monotonic() + manners.total_s
    port = parts.port or (443 if parts.scheme == "https" else 80)
    sock: socket.socket | None = None
    connection = http.client.HTTPConnection(parts.hostname or "", port)
    try:
        with _explained(deadline_s):
            sock = _connected(parts.hostname or "", port, manners)
            if parts.scheme == "https":
                sock = _tls().wrap_socket(sock, server_hostname=parts.hostname)
            connection.sock = _TimedSocket(sock, deadline_s, manners.timeout_s)  # pyright: ignore[reportAttributeAccessIssue]
            connection.putrequest(
                "GET",
                urlunsplit(("", "", parts.path, parts.query, "")) or "/",
                skip_host=True,
                skip_accept_encoding=True,
            )
            own = {"Host": parts.netloc, "User-Agent": manners.user_agent, "Accept-Encoding": "gzip"}
            for name, value in (own | (headers or {}) | {"Connection": "close"}).items():
                connection.putheader(name, value)
            connection.endheaders()
            response = connection.getresponse()
            found = [(name, SPACES.sub(" ", value).strip(" ")) for name, value in response.getheaders()]
        yield Answer(url, response.status, response.reason, found, response, deadline_s)
    finally:
        connection.close()
        if sock is not None:
            sock.close()


@contextmanager
def _explained(deadline_s: float) -> Iterator[None]:
    """Every way in which a connection fails, as a GetError."""
    try:
        yield
    except TimeoutError:
        found = "longer than total_s" if time.monotonic() >= deadline_s else "silent for timeout_s"
        raise GetError("timeout", found, passing=True) from None
    except ssl.SSLError as error:
        raise GetError("connection", f"no safe connection: {error.reason or error}"[:200]) from None
    except http.client.RemoteDisconnected:
        raise GetError("connection", "closed without an answer", passing=True) from None
    except http.client.IncompleteRead as error:
        raise GetError("truncated", f"the body ends after {len(error.partial)} bytes", passing=True) from None
    except (http.client.HTTPException, ValueError) as error:
        raise GetError("bad_answer", f"{type(error).__name__}: {error}"[:200]) from None
    except OSError as error:
        raise GetError("connection", (error.strerror or str(error))[:200], passing=True) from None


def _connected(host: str, port: int, manners: Manners) -> socket.socket:
    """A connection to the first address of a host that answers."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        passing = getattr(error, "errno", None) == socket.EAI_AGAIN
        raise GetError("no_host", f"{host} is not known ({error})"[:200], passing) from None
    if not manners.private:
        inside = next((str(info[4][0]) for info in infos if is_private(str(info[4][0]))), "")
        if inside:
            raise GetError("private_address", f"{host} is {inside}")
    last: OSError = ConnectionRefusedError(f"{host} has no address")
    for family, kind, protocol, _, address in infos:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(manners.timeout_s)
        try:
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            last = error
    raise last


def is_private(address: str) -> bool:
    """Whether an IP address is anything but a public one: loopback, local networks, cloud metadata, reserved ranges.

    IPv4 addresses inside IPv6 ones (mapped, 6to4, Teredo, NAT64) count as what they lead to.

    >>> is_private("169.254.169.254"), is_private("::ffff:10.0.0.1"), is_private("93.184.215.14")
    (True, True, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        within = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in NAT64:
            within.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if any(inner is not None and is_private(str(inner)) for inner in within):
            return True
        if found.ipv4_mapped is not None or found in NAT64:
            return False
    return not found.is_global or found.is_multicast or found.is_reserved


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


class _TimedSocket:
    """A socket whose answer must be read by a deadline, however slowly its bytes drip."""

    def __init__(self, sock: socket.socket, deadline_s: float, timeout_s: float) -> None:
        self._sock, self._deadline_s, self._timeout_s = sock, deadline_s, timeout_s

    def sendall(self, data: Any) -> None:
        self._arm()
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._sock, self._arm), BLOCK_BYTES)

    def close(self) -> None:
        """Nothing yet: http.client closes before the body is read, and `opened` closes in the end."""

    def _arm(self) -> None:
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left_s, self._timeout_s))


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, arm: Any) -> None:
        self._sock, self._arm = sock, arm

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._arm()
        return self._sock.recv_into(buffer)

"""A local web server that behaves as its test says: answers by path, flaky, slow, cut off or hostile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Route = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request; routes answer with `say`, or write bytes of their own to `wfile`."""

    server: "Site"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked.append((time.monotonic(), self.path, dict(self.headers)))
            self.number = sum(path == self.path for _, path, _ in self.server.asked)
        route = self.server.routes.get(self.path) or self.server.routes.get("*")
        self.close_connection = True
        try:
            if route is None:
                self.say(404, b"nothing here")
            else:
                route(self)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def say(self, status: int, body: bytes = b"", mime: str = "text/html", **headers: str) -> None:
        """A whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", mime)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Site(ThreadingHTTPServer):
    """The server: `routes` by path ("*": any other), and every request with its time."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, routes: dict[str, Route]) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.routes = routes
        self.asked: list[tuple[float, str, dict[str, str]]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for _, path, _ in self.asked]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients may go away."""


@contextmanager
def site(routes: dict[str, Route]) -> Iterator[Site]:
    """A server that runs while the body does."""
    server = Site(routes)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def page(body: bytes = b"<p>a page</p>", status: int = 200, mime: str = "text/html", **headers: str) -> Route:
    """A route that always answers the same."""
    return lambda asked: asked.say(status, body, mime, **headers)


def robots(text: str) -> Route:
    """A robots.txt."""
    return page(text.encode(), mime="text/plain")


def moved(target: str, status: int = 302) -> Route:
    """A redirect."""
    return page(b"", status, Location=target)


def files(folder: Path, cut_bytes: int = 0, times: int = 10**9, etag: str = '"1"') -> Route:
    """A route that serves a folder with ranges; the first `times` answers break off after `cut_bytes`."""
    served: list[str] = []

    def answer(asked: Asked) -> None:
        file = folder / asked.path.lstrip("/")
        if not file.is_file():
            asked.say(404)
            return
        data = file.read_bytes()
        begin, end = 0, len(data)
        wanted = asked.headers.get("Range", "")
        if wanted and asked.headers.get("If-Range", etag) == etag:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            begin, end = int(first), min(len(data), int(last) + 1 if last else len(data))
        if begin >= len(data) > 0:
            asked.say(416, Content_Range=f"bytes */{len(data)}")
            return
        part = data[begin:end]
        asked.send_response(206 if len(part) < len(data) or (wanted and begin == 0) else 200)
        asked.send_header("Content-Length", str(len(part)))
        asked.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        asked.send_header("ETag", etag)
        asked.end_headers()
        served.append(asked.path)
        asked.wfile.write(part[:cut_bytes] if cut_bytes and len(served) <= times else part)

    return answer

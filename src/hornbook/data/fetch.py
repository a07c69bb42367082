"""Stage data.fetch: a list of addresses, fetched politely, to WARC files.

`warc/NNNNN.warc.gz`: one gzip member for each page. `urls.jsonl`: a line for each address in the order of the list:
the page's place, or the rule under which there is none. What a server says today it may not say tomorrow, so the
payload is a record and not a function of the settings: the stage is run again only when the list or the settings
change (or with `--force`), and a restart goes on where it was.
"""

import json
import queue
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pydantic

from hornbook.core.artifact import Artifact, Out
from hornbook.core.errors import SettingsError
from hornbook.core.settings import HUB_PREFIX, InputPath, StrictSettings, resolve_input
from hornbook.core.units import human_seconds
from hornbook.data.files.sources import locate
from hornbook.data.files.url_list import Listed, from_documents, read_list
from hornbook.data.ledger import conclude, read_funnel
from hornbook.data.web.crawler import AGENT, Crawler, Outcome, Rules, Stopped
from hornbook.data.web.fetch_journal import PAGE_TEXT_BYTES, Journal
from hornbook.data.web.http_get import GetError, Manners, normal
from hornbook.data.web.warc_write import response

if TYPE_CHECKING:
    from hornbook.report.blocks import Block

READS: dict[str, str] = {"documents": "documents+?"}
WRITES = "pages"
VERSION = 1

RULES = {
    "fetch.bad_url": "the record of the list holds no http or https address (value: what is wrong with it)",
    "fetch.duplicate": "the address stands in the list before, or redirects to a page fetched already (value: which)",
    "fetch.private_address": "the host is inside a private network, or this machine (value: its address)",
    "fetch.robots": "robots.txt asks crawlers not to fetch it (value: which rule of which site). Source: RFC 9309",
    "fetch.robots_unreachable": "robots.txt could not be read, so nothing may be fetched (value: why). RFC 9309, 2.3.1",
    "fetch.no_host": "nobody knows the host (value: what the resolver said)",
    "fetch.host_down": "the host failed too often in a row, or asked for a pause longer than max_wait_s (value: which)",
    "fetch.connection": "no connection, or it broke, in every attempt (value: the last error)",
    "fetch.timeout": "no answer, or not all of it, within timeout_s and total_s (value: which)",
    "fetch.http_status": "the server did not answer 200 (value: the status)",
    "fetch.redirects": "a loop of redirects, or too many (value: where to)",
    "fetch.media_type": "the answer is none of `types` (value: its media type)",
    "fetch.too_large": "the page is larger than max_page_bytes (value: its bytes)",
    "fetch.truncated": "the answer ended early in every attempt (value: what is missing)",
    "fetch.bad_answer": "the answer is no HTTP, its redirect no address, or it is packed badly (value: what was found)",
}


class Settings(StrictSettings):
    """Which addresses, and how politely. Give `urls`, `path` or `read.documents`."""

    urls: tuple[str, ...] = ()
    """The addresses themselves."""
    path: InputPath | None = None
    """A list: text (one address a line), JSON lines, CSV or Parquet, plain, gzip or zstd; a file or a folder."""
    files: str = ""
    """With `path`: only files that match this glob."""
    field: str = "url"
    """JSON lines, CSV, Parquet: the field or column with the address."""
    contact: str = ""
    """An e-mail address or a page about you: it is sent along, so that site owners can reach you."""
    delay_s: float = pydantic.Field(default=1.0, ge=0)
    """Pause between two requests to one host; a Crawl-delay in its robots.txt makes it longer."""
    max_delay_s: float = pydantic.Field(default=30.0, ge=0)
    """The longest Crawl-delay that is honoured; a longer one counts as this."""
    hosts_at_once: int = pydantic.Field(default=8, ge=1, le=64)
    """Hosts that are asked at the same time, each one request after the other."""
    attempts: int = pydantic.Field(default=4, ge=1)
    """Requests for one page before it is given up: after 429, 500, 502, 503, 504, time-outs and broken connections."""
    backoff_s: float = pydantic.Field(default=2.0, ge=0)
    """The first pause after a failure; it doubles each time, give or take half. Retry-After goes before."""
    max_wait_s: float = pydantic.Field(default=120.0, ge=0)
    """The longest such pause; a server that asks for a longer one is not asked again."""
    timeout_s: float = pydantic.Field(default=20.0, gt=0)
    """How long a server may be silent."""
    total_s: float = pydantic.Field(default=60.0, gt=0)
    """How long one answer may take in all."""
    max_page_bytes: int = pydantic.Field(default=5_000_000, ge=1)
    """Larger pages are dropped."""
    max_redirects: int = pydantic.Field(default=5, ge=0)
    """Redirects that are followed, each checked as the address itself."""
    types: tuple[str, ...] = ("text/html", "application/xhtml+xml", "text/plain")
    """Media types that are kept (and answers without one)."""
    private: bool = False
    """Whether hosts inside private networks, this machine included, may be asked."""
    file_bytes: int = pydantic.Field(default=100_000_000, ge=1)
    """Size from which a new WARC file is begun."""
    licence: str = ""
    """The licence of the pages; it travels to the model card."""

    @pydantic.field_validator("contact")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isascii() or not value.isprintable() or any(sign in value for sign in "()\\"):
            raise ValueError("a contact is printable ASCII without brackets")
        return value

    def rules(self, seed: int) -> Rules:
        """What the crawler has to know."""
        about = f" (+{self.contact})" if self.contact else ""
        agent = f"{AGENT.capitalize()}/{version('hornbook')}{about}"
        manners = Manners(agent, self.timeout_s, self.total_s, self.max_page_bytes, self.private)
        pauses = (self.delay_s, self.max_delay_s, self.attempts, self.backoff_s, self.max_wait_s)
        return Rules(manners, *pauses, self.max_redirects, self.types, seed)


def resolve(settings: Settings, *, probe: object, hints: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Say how many addresses there are, how long good manners take at least, and how much text to expect."""
    if settings.path is not None:
        if settings.path.startswith(HUB_PREFIX):
            return settings, {}
        listed = read_list(resolve_input(settings.path), settings.files, settings.field)
    else:
        listed = ((url, "") for url in settings.urls)
    hosts = Counter(urlsplit(entry.url).netloc for entry in _entries(listed) if not entry.rule)
    if not hosts:
        return settings, {}
    slowest = max(max(hosts.values()), hosts.total() / settings.hosts_at_once)
    least = human_seconds(slowest * settings.delay_s)
    text = {"addresses": hosts.total(), "hosts": len(hosts), "at_least": least}
    return settings, {**text, "output_bytes": hosts.total() * PAGE_TEXT_BYTES}


def run(settings: Settings, inputs: dict[str, Any], out: Out) -> None:
    """Fetch every address once; what there is no page for is listed with its reason."""
    entries = list(_entries(_listed(settings, inputs, out)))
    rules = settings.rules(out.seed)
    job = f"data.fetch {VERSION} {settings!r}"
    agent = rules.manners.user_agent
    journal = Journal(out.path, out.resume / "fetch.jsonl", job, agent, settings.file_bytes)
    with journal, out.log.task("fetch", total=len(entries), unit="pages") as progress:
        wanted = [(index, entry.url) for index, entry in enumerate(entries) if not entry.rule]
        waiting = [(index, url) for index, url in wanted if url not in journal.done]
        progress.resume_at(len(entries) - len(waiting))
        claimed = {url for _, url in wanted} | {line.get("final_url", "") for line in journal.done.values()}
        for outcome in _fetched(waiting, Crawler(rules, claimed), settings.hosts_at_once):
            journal.add(_line(outcome), *_record(outcome))
            progress.advance(1, host=urlsplit(outcome.url).netloc)
    lines = [_line(entry) if entry.rule else journal.done[entry.url] for entry in entries]
    with (out.path / "urls.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    conclude(out, [_funnel(lines)], f"every address and its reason: {out.path / 'urls.jsonl'}")
    out.counts["pages"] = out.counts.pop("docs")
    out.licences.extend([settings.licence] if settings.licence else [])
    out.sources.extend(sorted({urlsplit(line["url"]).netloc for line in lines if not line["rule"]})[:1000])


def _listed(settings: Settings, inputs: dict[str, Any], out: Out) -> Iterable[Listed]:
    """The addresses from wherever they are given. Raises SettingsError unless it is one place."""
    documents: tuple[Artifact, ...] = inputs.get("documents") or ()
    if (settings.path is not None) + bool(settings.urls) + bool(documents) != 1:
        raise SettingsError("give one of urls, path and read.documents", where="data.fetch")
    if settings.path is not None:
        root = locate(settings.path, out.machine.cache_folder, settings.files)
        return read_list(root, settings.files, settings.field)
    return from_documents(part.path for part in documents) if documents else ((url, "") for url in settings.urls)


def _entries(listed: Iterable[Listed]) -> Iterator[Outcome]:
    """Each record of the list as an outcome: still open, or dropped before anything is asked."""
    seen: set[str] = set()
    for text, why in listed:
        try:
            url = normal(text) if not why else text
        except GetError as error:
            url, why = text, error.found
        if why:
            yield Outcome(url[:2000], "bad_url", why)
        elif url in seen:
            yield Outcome(url, "duplicate", "stands in the list before")
        else:
            seen.add(url)
            yield Outcome(url)


def _line(outcome: Outcome) -> dict[str, Any]:
    """What became of an address, as JSON can hold it."""
    line: dict[str, Any] = {"url": outcome.url, "rule": "", "value": outcome.value, "attempts": outcome.attempts}
    if outcome.page is None:
        return line | {"rule": f"fetch.{outcome.rule}", "passing": outcome.passing}
    return line | {"final_url": outcome.page.url, "date": outcome.page.date, "bytes": len(outcome.page.body)}


def _record(outcome: Outcome) -> tuple[bytes | None, str]:
    """The WARC record of a page, and its date."""
    page = outcome.page
    if page is None:
        return None, ""
    return response(page.url, page.date, page.status, page.reason, page.headers, page.body), page.date


def _fetched(waiting: list[tuple[int, str]], crawler: Crawler, num_threads: int) -> Iterator[Outcome]:
    """Outcomes as they come: each thread takes a host and asks it for its pages, one after the other."""
    hosts: dict[str, list[tuple[int, str]]] = {}
    for index, url in waiting:
        hosts.setdefault(urlsplit(url).netloc, []).append((index, url))
    todo: queue.SimpleQueue[list[tuple[int, str]]] = queue.SimpleQueue()
    for pages in hosts.values():
        todo.put(pages)
    done: queue.Queue[Outcome | BaseException] = queue.Queue(maxsize=2 * num_threads)

    def hand_over(found: Outcome | BaseException) -> None:
        while not crawler.stopped.is_set():
            try:
                done.put(found, timeout=0.5)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            while not crawler.stopped.is_set():
                for index, url in todo.get_nowait():
                    hand_over(crawler.fetch(url, index))
        except (queue.Empty, Stopped):
            return
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody sees it
            hand_over(error)

    for _ in range(min(num_threads, len(hosts))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in waiting:
            found = done.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        crawler.stopped.set()


def _funnel(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What went in, what came, and why the rest did not; of pages instead of documents."""
    size = sum(line.get("bytes", 0) for line in lines)
    dropped = Counter(line["rule"] for line in lines if line["rule"])
    kept = len(lines) - dropped.total()
    counts = {"in": len(lines), "kept": kept, "edited": {}, "dropped": dict(dropped)}
    return {**counts, "bytes_in": size, "bytes_kept": size, "others": {}}


def describe(artifact: Artifact) -> "list[Block]":
    """The funnel, the hosts, and addresses without a page, for reports."""
    from hornbook.report.blocks import Funnel, Samples, Table, share

    funnel = read_funnel(artifact.path)
    blocks: list[Block] = [Funnel("data.fetch: pages", funnel["in"], funnel["kept"], funnel["dropped"], {}, "pages")]
    dropped = sorted(funnel["dropped"].items(), key=lambda item: (-item[1], item[0]))
    rows: list[list[object]] = [[rule, n, share(n, funnel["in"]), RULES[rule]] for rule, n in dropped]
    if rows:
        blocks.append(Table("Rules", ["rule", "times", "of addresses", "meaning and source"], rows))
    pages: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    size: Counter[str] = Counter()
    samples: dict[str, list[dict[str, str]]] = {}
    with (artifact.path / "urls.jsonl").open(encoding="utf-8") as file:
        for line in map(json.loads, file):
            host = urlsplit(line["url"]).netloc if line["rule"] != "fetch.bad_url" else "(no address)"
            (failed if line["rule"] else pages)[host] += 1
            size[host] += line.get("bytes", 0)
            if line["rule"] and len(found := samples.setdefault(line["rule"], [])) < 3:
                found.append({"rule": line["rule"], "value": str(line["value"]), "url": line["url"]})
    hosts = sorted(pages | failed, key=lambda host: (-pages[host], -failed[host], host))[:20]
    table: list[list[object]] = [[host, pages[host], failed[host], size[host]] for host in hosts]
    blocks.append(Table("Hosts", ["host", "pages", "without a page", "bytes"], table))
    if samples:
        blocks.append(Samples("Without a page", [item for rule in sorted(samples) for item in samples[rule]]))
    return blocks

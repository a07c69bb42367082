"""Web addresses in one form, so that the same page has the same one."""

import re
from urllib.parse import quote, urlsplit

TRACKING = re.compile(
    r"utm_\w*|fbclid|[gd]clid|gclsrc|[gw]braid|msclkid|yclid|twclid|ttclid|igshid|mc_[ce]id|_g[al]|_hs(?:enc|mi)|ref_src"
    r"|(?:php|j|asp)sess(?:ion)?id\w*|sess(?:ion)?_?id|cfid|cftoken|oly_(?:anon|enc)_id|vero_(?:id|conv)|wt\.mc_id"
)
"""Names of parameters that say how a reader came here, not what is read."""
SESSION_VALUE = re.compile(r"[0-9a-f]{16,}")
INDEX = re.compile(r"/(?:index|default)\.(?:html?|php\d?|aspx?|jsp|cgi)$", re.IGNORECASE)
PATH_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;?]*", re.IGNORECASE)
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
DEFAULT_PORTS = {"http": 80, "https": 443}
WWW = re.compile(r"^www\d?\.(?=[^.]+\.)")
MOBILE_HOST = re.compile(r"^(?:m|mobile|amp)\.(?=[^.]+\.)")
MOBILE_LABEL = re.compile(r"\.m\.(?=[^.]+\.)")
AMP_PATH = re.compile(r"/amp(?=/|$)|\.amp(?=\.html?$|$)")
AMP_PARAMETERS = frozenset({"amp", "outputtype=amp"})


def normalised(url: str, mobile: bool = True, ignore: frozenset[str] = frozenset()) -> str:
    """The one form of an address, without scheme; "" for none.

    Left out: scheme http(s), user, `www.`, the scheme's own port, fragment (but `#!`), tracking and session parameters,
    the order of parameters, index files, trailing and doubled slashes, dot segments, needless percent-encoding.
    `mobile`: also `m.`, `mobile.`, `amp.` and AMP paths; `ignore`: more parameters to leave out, in lower case.
    Source: RFC 3986, section 6.2.2-6.2.4. Deviation: `www.`, index files and slashes are not the same page by any
    standard, but nearly always in practice.

    >>> normalised("HTTPS://www.Example.org:443/a/./b/index.html?utm_source=x&b=2&a=%7e1#top")
    'example.org/a/b?a=~1&b=2'
    """
    text = url.strip()
    if "//" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return text
    scheme = parts.scheme.lower()
    if not host:
        return text if scheme not in DEFAULT_PORTS else ""
    host = WWW.sub("", _ascii_host(host))
    path = INDEX.sub("/", _path(PATH_SESSION.sub("", parts.path)))
    if mobile:
        host = _one_site(host)
        path = AMP_PATH.sub("", path)
    if port is not None and port != DEFAULT_PORTS.get(scheme):
        host = f"{host}:{port}"
    query = _query(parts.query, mobile, ignore)
    fragment = f"#{parts.fragment}" if parts.fragment.startswith("!") else ""
    prefix = "" if scheme in DEFAULT_PORTS else f"{scheme}://"
    return prefix + host + path.rstrip("/") + (f"?{query}" if query else "") + fragment


def host_of(url: str) -> str:
    """The host of an address without `www.` and mobile names, "" for none.

    >>> host_of("https://www.m.example.org:8080/a")
    'example.org'
    """
    text = url.strip()
    try:
        host = urlsplit(text if "//" in text else f"http://{text}").hostname or ""
    except ValueError:
        return ""
    return _one_site(WWW.sub("", _ascii_host(host)))


def _one_site(host: str) -> str:
    """A host without mobile names."""
    return MOBILE_LABEL.sub(".", WWW.sub("", MOBILE_HOST.sub("", host)))


def _ascii_host(host: str) -> str:
    host = host.lower().rstrip(".")
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _path(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    return _escaped("/" + "/".join(kept) + ("/" if kept and path.endswith("/") else ""))


def _escaped(text: str) -> str:
    """Percent-encoding only where it is needed, in capitals."""
    text = unescaped(text)
    return text if text.isascii() and " " not in text else quote(text, safe="%/:?#[]@!$&'()*+,;=~")


def unescaped(text: str) -> str:
    """The text without percent-encodings that nothing needs, all others in capitals. Source: RFC 3986, 6.2.2."""

    def plain(found: re.Match[str]) -> str:
        letter = chr(int(found[1], 16))
        return letter if letter in UNRESERVED else found[0].upper()

    return ESCAPE.sub(plain, text) if "%" in text else text


def _query(query: str, mobile: bool, ignore: frozenset[str]) -> str:
    kept: list[str] = []
    for item in query.split("&"):
        name, _, value = item.partition("=")
        low = name.lower()
        if not item or TRACKING.fullmatch(low) or low in ignore:
            continue
        if low in ("sid", "s") and SESSION_VALUE.fullmatch(value.lower()):
            continue
        if mobile and (low in AMP_PARAMETERS or item.lower() in AMP_PARAMETERS):
            continue
        kept.append(_escaped(item).removesuffix("="))
    return "&".join(sorted(filter(None, kept)))

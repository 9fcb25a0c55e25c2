"""URLs of backends: which one, where, and whose password is needed; checked before anything connects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, unquote

from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_SSL_MODES = ("disable", "require", "verify-ca", "verify-full")
_POSTGRES_QUERY = ("sslmode", "sslrootcert")


@dataclass(frozen=True, slots=True)
class Resource:
    """Which backend, and where.

    `sqlite:/var/lib/fm.db` is scheme sqlite, place /var/lib/fm.db. The place of a server is its URL without the password.
    """

    scheme: str
    place: str
    password: Secret | None = None

    def with_password(self, password: Secret) -> Resource:
        """The same place with a password."""
        return replace(self, password=password)


def shown_url(text: str) -> str:
    """The URL as people may see it: without its password, and without what may be one where it cannot be read."""
    scheme, mark, rest = text.partition("://")
    # A password may hold a "/" or a second "@" that somebody forgot to encode: everything up to the last "@" counts.
    user, at, place = rest.rpartition("@")
    if not mark or not at:
        return text
    name, colon, _ = user.partition(":")
    return f"{scheme}://{name}{':***' if colon else ''}@{place}"


def _path(text: str) -> Resource:
    scheme, _, place = text.partition(":")
    if not place:
        raise MisconfiguredError(f"names no place: write {scheme}:<path>.")
    # Both sqlite:/path and sqlite:///path are common; they mean the same file.
    return Resource(scheme, "/" + place.lstrip("/") if place.startswith("//") else place)


def _bare(text: str) -> Resource:
    return Resource(text.partition(":")[0], "")


def _bucket(text: str) -> Resource:
    scheme, mark, rest = text.partition("://")
    bucket, slash, prefix = rest.partition("/")
    if not mark or not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(slash + prefix.rstrip("/") if prefix else ""):
        raise MisconfiguredError("names no bucket: write s3://<bucket> or s3://<bucket>/<prefix>.")
    return Resource(scheme, f"{bucket}/{prefix.strip('/')}".rstrip("/"))


@dataclass(frozen=True, slots=True)
class _Url:
    scheme: str
    user: str
    password: Secret | None
    hosts: str
    path: str
    query: Mapping[str, str]

    def place(self, path: str) -> str:
        """The URL again, without the password."""
        query = "&".join(f"{name}={quote(value, safe='/:,')}" for name, value in self.query.items())
        at = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{at}{self.hosts}{path}{'?' if query else ''}{query}"


def _read(text: str, form: str, *, several: bool = False, query: tuple[str, ...] = ()) -> _Url:
    scheme, mark, rest = text.partition("://")
    rest, _, asked = rest.partition("?")
    server, slash, path = rest.partition("/")
    account, _, hosts = server.rpartition("@")
    user, _, password = account.partition(":")
    listed = hosts.split(",")
    if not mark or not all(_is_host(host) for host in listed) or (len(listed) > 1 and not several):
        raise MisconfiguredError(f"names no server: write {form}. Encode / @ : ? in a password as %2F %40 %3A %3F.")
    found = dict(parse_qsl(asked, keep_blank_values=True))
    if unknown := sorted(set(found) - set(query)):
        allowed = f"only {', '.join(query)}" if query else "none"
        raise MisconfiguredError(f"has the parameter {unknown[0][:40]!r} after `?`; it may have {allowed}.")
    secret = Secret(unquote(password)) if password else None
    return _Url(scheme, user, secret, hosts, slash + path, MappingProxyType(found))


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and (found[1] is None or 0 < int(found[1]) < 1 << 16)


def _postgres(text: str) -> Resource:
    form = "postgresql://<user>@<host>:<port>/<database>?sslmode=verify-full&sslrootcert=<file>"
    url = _read(text, form, query=_POSTGRES_QUERY)
    if not _NAME.fullmatch(url.path.removeprefix("/")):
        raise MisconfiguredError(f"names no database: write {form}.")
    if url.query.get("sslmode", "disable") not in _SSL_MODES:
        raise MisconfiguredError(f"has an sslmode that is not one of {', '.join(_SSL_MODES)}.")
    return Resource(url.scheme, url.place(url.path), url.password)


def _redis(text: str) -> Resource:
    url = _read(text, "redis://<host>:<port>/<number>")
    if not re.fullmatch(r"(?:/\d{0,3})?", url.path):
        raise MisconfiguredError("names no database number: write redis://<host>:<port>/0.")
    return Resource(url.scheme, url.place(url.path.rstrip("/")), url.password)


def _sentinel(text: str) -> Resource:
    url = _read(text, "redis+sentinel://<host>:<port>,<host>:<port>/<master>", several=True)
    master, _, number = url.path.removeprefix("/").partition("/")
    if not re.fullmatch(r"\d{0,3}", number) or (master and not _NAME.fullmatch(master)):
        raise MisconfiguredError("names no master: write redis+sentinel://<host>:<port>,<host>:<port>/<master>.")
    path = f"/{master or 'mymaster'}" + (f"/{number}" if number else "")
    return Resource(url.scheme, url.place(path), url.password)


def _cluster(text: str) -> Resource:
    url = _read(text, "redis+cluster://<host>:<port>,<host>:<port>", several=True)
    if url.path not in {"", "/", "/0"}:
        raise MisconfiguredError("names a database; a cluster has none but 0.")
    return Resource(url.scheme, url.place(""), url.password)


def _amqp(text: str) -> Resource:
    url = _read(text, "amqp://<user>@<host>:<port>/<virtual host>")
    return Resource(url.scheme, url.place(url.path), url.password)


def _keyed(url: _Url) -> _Url:
    """The URL of a server that wants a key and knows no users. Raises MisconfiguredError where it names one."""
    if url.user or url.password:
        raise MisconfiguredError(
            "names a user or password, which this server does not take: set the key by its own variable."
        )
    return url


def _http(text: str) -> Resource:
    scheme = text.partition(":")[0]
    url = _keyed(_read(text, f"{scheme}://<host>:<port>"))
    if url.path not in {"", "/"}:
        raise MisconfiguredError(f"has a path: write {scheme}://<host>:<port>.")
    return Resource(url.scheme, url.place(""), url.password)


def _milvus(text: str) -> Resource:
    scheme = text.partition(":")[0]
    url = _keyed(_read(text, f"{scheme}://<host>:<port>/<database>"))
    if not re.fullmatch(r"(?:/[A-Za-z0-9_]{0,63})?", url.path):
        raise MisconfiguredError(f"names no database: write {scheme}://<host>:<port>/<database>.")
    return Resource(url.scheme, url.place(url.path.rstrip("/")), url.password)


def _pinecone(text: str) -> Resource:
    if text.startswith("pinecone://"):  # another server that speaks Pinecone's interface
        return _http(text)
    region = text.removeprefix("pinecone:")
    if region and not re.fullmatch(r"[a-z]{2,16}/[a-z0-9-]{2,32}", region):
        raise MisconfiguredError("names no region: write pinecone:<cloud>/<region>, as pinecone:aws/us-east-1.")
    return Resource("pinecone", region or "aws/us-east-1")


def _pgvector(text: str) -> Resource:
    if text == "pgvector:":
        return Resource("pgvector", "")
    found = _postgres("postgresql" + text.removeprefix("pgvector"))
    return replace(found, scheme="pgvector")


def _openai(text: str) -> Resource:
    scheme = text.partition(":")[0]
    form = f"{scheme}://<host>:<port>/v1?model=<name>&dimension=<number>"
    url = _keyed(_read(text, form, query=("model", "dimension", "query_prefix", "document_prefix")))
    if not url.query.get("model") or not re.fullmatch(r"(?:/[A-Za-z0-9._/-]*)?", url.path):
        raise MisconfiguredError(f"names no model: write {form}.")
    if not re.fullmatch(r"[1-9]\d{0,4}", url.query.get("dimension", "")):
        raise MisconfiguredError(f"does not say how many numbers the model's vectors have: write {form}.")
    return Resource(url.scheme, url.place(url.path), url.password)


def _smtp(text: str) -> Resource:
    scheme = text.partition(":")[0]
    url = _read(text, f"{scheme}://<user>@<host>:<port>")
    if url.path not in {"", "/"}:
        raise MisconfiguredError(f"has a path: write {scheme}://<user>@<host>:<port>.")
    return Resource(url.scheme, url.place(""), url.password)


PLACES: Mapping[str, Callable[[str], Resource]] = MappingProxyType(
    {
        "sqlite": _path,
        "memory": _bare,
        "postgresql": _postgres,
        "file": _path,
        "s3": _bucket,
        "redis": _redis,
        "rediss": _redis,
        "redis+sentinel": _sentinel,
        "rediss+sentinel": _sentinel,
        "redis+cluster": _cluster,
        "rediss+cluster": _cluster,
        "chroma+file": _path,
        "chroma+http": _http,
        "chroma+https": _http,
        "milvus": _milvus,
        "milvus+https": _milvus,
        "milvus+file": _path,
        "pinecone": _pinecone,
        "pgvector": _pgvector,
        "none": _bare,
        "onnx": _bare,
        "hashing": _bare,
        "openai+http": _openai,
        "openai+https": _openai,
        "embedded": _bare,
        "amqp": _amqp,
        "amqps": _amqp,
        "smtp": _smtp,
        "smtps": _smtp,
    }
)
"""Scheme -> what reads its URLs. Each raises MisconfiguredError whose text follows the name of the variable."""


def user_of(resource: Resource) -> str:
    """The user that the URL names, as it is written there; empty where it names none."""
    server = resource.place.partition("://")[2].partition("/")[0]
    return server.rpartition("@")[0]

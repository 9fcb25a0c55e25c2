"""Content that others sent, on its way to a browser: a download, never a page of ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote

from faultmaven_core.evidence.contents import Content
from faultmaven_http.endpoint import Answer, Asked
from faultmaven_http.errors import HttpError

BINARY = "application/octet-stream"
SAFE = {
    "text/plain": "text/plain; charset=utf-8",
    "application/pdf": "application/pdf",
    "application/gzip": "application/gzip",
    "application/zip": "application/zip",
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
}
"""Types that no browser runs anything of; every other content is only bytes to it."""

MEDIA = tuple(dict.fromkeys(media.partition(";")[0] for media in (BINARY, *SAFE.values())))
"""What a download may be."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_PLAIN = re.compile(r"[^A-Za-z0-9 ._()+,=@-]")


def download(asked: Asked, content: Content) -> Answer:
    """The content, or the part of it that is asked for. Raises HttpError 416 where there is no such part."""
    item = content.item
    tag = f'"{item.sha256}"'
    headers = [
        (b"etag", tag.encode()),
        (b"accept-ranges", b"bytes"),
        (b"cache-control", b"private, no-cache"),
        (b"content-disposition", disposition(item.name)),
        (b"content-security-policy", b"default-src 'none'; sandbox; frame-ancestors 'none'"),
        (b"cross-origin-resource-policy", b"same-site"),
    ]
    if tag in (given.strip().removeprefix("W/") for given in asked.header(b"if-none-match").split(",")):
        return Answer(None, 304, tuple(headers))
    headers.append((b"content-type", SAFE.get(item.details.get("content_type", ""), BINARY).encode()))
    wanted = asked.header(b"range")
    # A part of another content than the client has begun with is of no use to it.
    part = part_of(wanted, item.size) if asked.header(b"if-range") in ("", tag) else None
    status, (start, length) = (200, (0, item.size)) if part is None else (206, part)
    if part is not None:
        headers.append((b"content-range", f"bytes {start}-{start + length - 1}/{item.size}".encode()))
    headers.append((b"content-length", str(length).encode()))
    nothing = asked.scope["method"] == "HEAD" or not length
    return Answer(_pieces(()) if nothing else content.part(start, length), status, tuple(headers))


def disposition(name: str) -> bytes:
    """A Content-Disposition as RFC 6266 has it: any name, without a character that could end the header or the quotes."""
    plain = _PLAIN.sub("_", name)
    extended = quote(name, safe="", errors="replace")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{extended}".encode("ascii")


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """Start and length of the one part that a Range header asks for; None for the whole, also where it asks for several.

    Raises HttpError 416 where the content has no such part.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or end <= start:
        raise HttpError(
            416, "The content has no such part.", code="invalid_input", headers={"content-range": f"bytes */{size}"}
        )
    return start, end - start


async def _pieces(of: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in of:
        yield piece

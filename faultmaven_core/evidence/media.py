"""The media type of content, told from its first bytes; what its sender calls it is data only."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping

from faultmaven_core.analysis.intake.forms import form_of

BINARY = "application/octet-stream"
TEXT = "text/plain"

HEAD = 4 << 10
"""Bytes that are looked at."""

_FORMS = {
    "gzip": "application/gzip",
    "zstd": "application/zstd",
    "zip": "application/zip",
    "tar": "application/x-tar",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "html": "text/html",
}
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
_ENDINGS: Mapping[str, str] = {
    "gz": "application/gzip",
    "tgz": "application/gzip",
    "zst": "application/zstd",
    "zip": "application/zip",
    "tar": "application/x-tar",
    "pdf": "application/pdf",
    "docx": _FORMS["docx"],
    "html": "text/html",
    "htm": "text/html",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    **dict.fromkeys(("txt", "log", "json", "jsonl", "csv", "md", "yaml", "yml"), TEXT),
}
"""What an ending promises."""

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x08\x1b"))


def media_type(head: bytes) -> str:
    """Of content that begins so."""
    for magic, kind in _IMAGES.items():
        if head.startswith(magic):
            return kind
    if form := form_of(head):
        return _FORMS[form]
    return TEXT if _is_text(head[:HEAD]) else BINARY


def promised(name: str) -> str:
    """What a name's ending says that the content is; empty where it says nothing to hold it to."""
    return _ENDINGS.get(name.rpartition(".")[2].lower(), "") if "." in name else ""


class Peeked:
    """Passes content on, and keeps its beginning."""

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = chunks
        self.head = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The chunks."""
        async for chunk in self._chunks:
            if len(self.head) < HEAD:
                self.head += chunk[: HEAD - len(self.head)]
            yield chunk


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16 begins so, and little else
    return head.translate(None, delete=_CONTROLS) == head


def told(name: str, head: bytes) -> dict[str, str]:
    """What the content says of itself, and whether its name says something else."""
    found, expected = media_type(head), promised(name)
    if not expected or not head or found == expected:
        return {"content_type": found}
    return {"content_type": found, "mismatch": f"By its name this is {expected}, by its content {found}."}

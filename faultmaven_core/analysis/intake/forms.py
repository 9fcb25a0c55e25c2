"""Containers: content that must be unpacked or rendered before it can be read, told from its first bytes."""

from __future__ import annotations

import re
import tarfile

HEAD = 64 << 10
"""Bytes that are enough to tell what a content is."""

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # a zip without entries
    b"%PDF-": "pdf",
}
_FOREIGN = {
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
}
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)
_TAR_BLOCK = 512


def form_of(head: bytes) -> str:
    """gzip, zstd, zip, tar, pdf, docx or html; empty for content that is read as it is."""
    for magic, form in _MAGIC.items():
        if head.startswith(magic):
            # A Word document is a zip whose parts start with the list of content types.
            return "docx" if form == "zip" and b"[Content_Types].xml" in head and b"word/" in head else form
    if _is_tar(head):
        return "tar"
    return "html" if _HTML.match(head) else ""


def foreign(head: bytes) -> str:
    """The name of a packed form that we know but do not read; empty for anything else."""
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "")


def _is_tar(head: bytes) -> bool:
    block = head[:_TAR_BLOCK]
    if len(block) < _TAR_BLOCK or not any(block):
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "replace")  # checks the header's sum
    except tarfile.HeaderError:
        return False
    return True

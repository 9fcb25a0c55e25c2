"""Files that are sent in parts, as clients ask for them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file to come: its `size` in bytes, and its SHA-256 in hexadecimal where that is known. `evidence_role` as for evidence.

    A client of tus says the same in headers: `Upload-Length`, and `Upload-Metadata` with filename, evidence_role, sha256.
    """

    name: str = ""
    size: int = -1
    evidence_role: str = "incident"
    sha256: str = ""
    source_url: str = ""

"""A private authority and certificates for servers at this machine's own addresses."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

NAMED = ("localhost", "127.0.0.1")
NOT_NAMED = "127.0.0.2"
"""Servers with TLS answer here too; their certificate does not say so."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of one server: the authority's certificate, its own with the chain, and its key."""

    authority: Path
    chain: Path
    key: Path


def certificate(folder: Path, *, owner: str | None = None) -> Certificate:
    """A certificate for `NAMED`, whose key only its owner reads."""
    import trustme

    authority = trustme.CA(organization_name="FaultMaven tests")
    issued = authority.issue_cert(*NAMED)
    files = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(str(files.authority))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(files.chain), append=True)
    files.key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(str(files.key))
    if owner is not None:
        for file in (files.authority, files.chain, files.key):
            shutil.chown(file, owner)
    return files

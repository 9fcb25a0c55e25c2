"""Servers that somebody else runs: `FM_TEST_<NAME>_URL` names one to use instead of starting it.

User and password stand in the URL; that of an S3 store is `http://ACCESS_KEY:SECRET_KEY@HOST:PORT/BUCKET`, and one with a
private authority names its file as `sslrootcert` or `ssl_ca_certs`.
"""

from __future__ import annotations

import os
from urllib.parse import parse_qs, unquote, urlsplit

from faultmaven_contract_tests.servers.server import Server


def variable(name: str) -> str:
    """The variable that names a server of this kind."""
    return f"FM_TEST_{name.upper()}_URL"


def server(name: str) -> Server | None:
    """The server that the environment names, if it does."""
    url = os.environ.get(variable(name))
    if not url:
        return None
    parts = urlsplit(url)
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    query = parse_qs(parts.query)
    given = Server(name=name, url=url, product=f"the server of {variable(name)}", version="")
    given.ca = "".join(query.get("sslrootcert", query.get("ssl_ca_certs", [])))
    if name == "s3":
        given.url = parts._replace(netloc=parts.netloc.rpartition("@")[2], path="").geturl()
        given.access_key, given.secret_key, given.bucket = username, password, parts.path.strip("/")
    else:
        given.username, given.password = username, password
    return given

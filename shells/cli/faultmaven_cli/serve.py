"""`fm serve`: checks what it was given, then becomes the server."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from faultmaven_cli.session import HOME_OPTION
from faultmaven_core.shared.errors import MisconfiguredError

NAMES = ("all", "auth", "session", "case", "evidence", "knowledge", "agent")
"""Every service, and all of them in one process. A test compares them with the HTTP shell's table."""

LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette", "python_multipart", "prometheus_client")
IDENTITY = ("argon2", "cryptography", "joserfc")
"""What the extras `http` and `identity` bring."""

EPILOG = """\b
Examples:
  fm serve all
  fm serve all --host "$POD_IP" --port 8090
  fm serve case        # one service alone

SIGTERM stops it: what runs may finish within FM_HTTP_GRACE. See docs/deployment.md.
"""


@click.command(epilog=EPILOG)
@click.argument("service", type=click.Choice(NAMES), default="all")
@click.option("--host", metavar="ADDRESS", help="Address to listen on; default is FM_HTTP_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; default is FM_HTTP_PORT.")
@HOME_OPTION
def serve(service: str, host: str | None, port: int | None, home: str) -> None:
    """Serve the HTTP interface: all services in one process, or one of them alone."""
    from faultmaven import load_settings
    from faultmaven_cli.environment import replaced

    given = {"FM_HTTP_HOST": host, "FM_HTTP_PORT": str(port) if port else None, "FM_HOME": home or None}
    environ = replaced(os.environ, {name: value for name, value in given.items() if value is not None})
    if missing := [name for name in (*LIBRARIES, *IDENTITY) if find_spec(name) is None]:
        raise MisconfiguredError(
            f"`fm serve` needs {', '.join(missing)}, which this installation lacks: pip install 'faultmaven[http,identity]'."
        )
    load_settings(environ)  # what is wrong is said here, in the words of every command
    sys.stderr.flush()
    # Instead of a child: process 1 of a container is then the server itself, and gets the signals.
    os.execve(sys.executable, [sys.executable, "-m", "faultmaven_http", service], environ)  # noqa: S606 - our own module

"""`python -m faultmaven_http NAME`: what `fm serve NAME` becomes; all else stands in the environment."""

from __future__ import annotations

import sys

from faultmaven import load_settings
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_http.serve import ALL, MISCONFIGURED, serve


def main(arguments: list[str]) -> int:
    """Serve the service that is named, or all; the exit code."""
    try:
        settings = load_settings()
    except MisconfiguredError as error:
        sys.stderr.write(f"error: {error}\n")
        return MISCONFIGURED
    return serve(settings, arguments[0] if arguments else ALL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

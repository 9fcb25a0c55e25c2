"""Writes docs/settings.md from the variables themselves: `python -m faultmaven.settings_document > docs/settings.md`."""

from __future__ import annotations

import sys

from faultmaven.declared import VARIABLES

_HEAD = """# Settings

FaultMaven is set up by environment variables, read once at start. An empty variable counts as unset. Every variable can
also be given as `NAME_FILE`, the path of a file that holds the value (a mounted secret): one line end at its end is cut,
and setting both is an error. A name that begins with `FM_` and is not listed here is an error too, so that a misspelt one
does not go unnoticed; names that begin with `FM_TEST_` and those that Kubernetes makes for services are left alone.

`fm config show` prints what is in force and where each value came from; `fm config check` only looks for problems.

Durations are numbers with ms, s, m, h or d (`30s`), sizes with B, KiB, MiB, GiB or TiB (`64MiB`). A password stands in its
own variable or, percent-encoded, in the URL; it is never shown. Some variables have a second name from older installations
or from the libraries beneath; it works the same, and both at once are an error. Combinations that cannot work (workers
beside a database in memory, several replicas on SQLite, a Redis Cluster as broker) are refused at start.

| variable | also | meaning | default | used by |
|---|---|---|---|---|
"""


def document() -> str:
    """The whole document."""
    rows = (
        f"| `{v.name}` | {' '.join(f'`{name}`' for name in v.aliases)} | {v.doc} | {f'`{v.default}`' if v.default else ''} "
        f"| {v.used_by} |\n"
        for v in VARIABLES
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(document())

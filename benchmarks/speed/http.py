"""Requests over HTTP: a case by id beside the same route without a database, files up and down beside the plainest server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.speed.measure import run
from benchmarks.speed.repositories import database
from benchmarks.speed.rounds import Part, Program, Programs, Setting, judged
from faultmaven_contract_tests import servers

LARGE = 8
"""Times the size of a blob: what one request and one transaction cost is not meant here."""

MOST_LAG = 50.0


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    homes = {name: setting.folder / name for name in ("memory", "sqlite", "postgres", "files")}
    for home in homes.values():
        home.mkdir()
    memory, files, megabytes = str(homes["memory"]), str(homes["files"]), str(LARGE * setting.mb)
    with servers.private("postgres") as server:
        # As its role without rights of an owner, for whom row-level security holds.
        place = asyncio.run(database(server.url))
        yield Programs(
            {
                "get memory": _work("get", memory, "memory:"),
                "get sqlite": _work("get", str(homes["sqlite"]), f"sqlite:{homes['sqlite'] / 'fm.db'}"),
                "get postgres": _work("get", str(homes["postgres"]), place),
                "get nothing": _work("hello", memory),
                "upload": _work("upload", files, megabytes),
                "sink": _work("sink", megabytes),
                "download": _work("download", files, megabytes),
                "file": _work("file", files, megabytes),
            },
            "requests or MB",
            server.pids,
        )


def _lag(setting: Setting) -> Sequence[bool]:
    home = setting.folder / "logins"
    home.mkdir()
    found = [json.loads(run(_work("logins", str(home)).command).output) for _ in range(3)]
    most, slowest = zip(*found, strict=True)
    return [
        judged("19 of 20 small requests beside fifty logins at once, ms", most, most=MOST_LAG),
        judged("the slowest of them, ms", slowest),
    ]


def _work(*arguments: str) -> Program:
    return Program([sys.executable, "-m", "benchmarks.speed.http_work", *arguments])


PART = Part(_programs, _lag)

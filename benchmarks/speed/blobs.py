"""Blobs at library level: to disk beside `cp` and a plain loop, to S3 beside boto3's own transfers on the same server."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.speed.measure import run
from benchmarks.speed.rounds import MEBIBYTE, Part, Program, Programs, Setting, judged
from faultmaven_contract_tests import servers

WORK = ("disk put", "plain put", "hash", "disk get", "plain get", "S3 put", "boto3 put", "S3 get", "boto3 get")
MOST_GROWTH = {"disk": 16.0, "S3": 64.0}
"""MiB above idle for one large blob."""


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    source = setting.folder / "source"
    with source.open("wb") as file:
        for number in range(setting.mb):
            file.write(number.to_bytes(4, "big") * (MEBIBYTE // 4))
    with servers.private("s3") as server:
        commands = {name: _command(setting, server, name) for name in WORK}
        for name in ("disk", "S3"):
            run(_command(setting, server, f"{name} seed"))
        megabytes = setting.mb * MEBIBYTE / 1e6
        programs = {name: Program(command) for name, command in commands.items()}
        programs["cp"] = Program(["cp", str(source), str(setting.folder / "copy")], units=megabytes)
        yield Programs(programs, "MB", server.pids)


def _growth(setting: Setting) -> Sequence[bool]:
    with servers.private("s3") as server:
        return [
            judged(
                f"{setting.large_mb} MiB blob, growth with {name}, MiB",
                json.loads(run(_command(setting, server, f"{name} growth", setting.large_mb)).output),
                most=most,
            )
            for name, most in MOST_GROWTH.items()
        ]


def _command(setting: Setting, server: servers.Server, name: str, *more: object) -> list[str]:
    place = [server.url, server.access_key, server.secret_key, server.bucket]
    return [sys.executable, "-m", "benchmarks.speed.blob_work", name, str(setting.folder), *place, *map(str, more)]


PART = Part(_programs, _growth)

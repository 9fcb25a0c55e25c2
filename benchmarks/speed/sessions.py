"""Session touches: our store beside redis-py with the very same command, behind Sentinel, in a cluster; and redis-benchmark."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks.speed.rounds import Part, Program, Programs, Setting
from faultmaven_contract_tests import servers

TOUCHES = 10_000
BENCHMARKED = 100_000


@contextmanager
def _programs(_setting: Setting) -> Iterator[Programs]:
    with (
        servers.private("redis") as single,
        servers.private("redis_sentinel") as sentinel,
        servers.private("redis_cluster") as cluster,
    ):
        programs = {
            "ours": _touching("ours", single),
            "redis-py": _touching("script", single),
            "redis-py GETEX": _touching("getex", single),
            "ours, Sentinel": _touching("ours", sentinel),
            "ours, cluster": _touching("ours", cluster),
        }
        if found := shutil.which("redis-benchmark"):
            port = str(urlsplit(single.url).port)
            flags = ["-p", port, "-n", str(BENCHMARKED), "-c", "50", "-q", "--csv", "GETEX", "k", "EX", "1200"]
            programs["redis-benchmark GETEX"] = Program([found, *flags], units=BENCHMARKED)
        yield Programs(programs, "touches", [*single.pids, *sentinel.pids, *cluster.pids])


def _touching(who: str, server: servers.Server) -> Program:
    return Program([sys.executable, "-m", "benchmarks.speed.session_work", who, server.url, str(TOUCHES)])


PART = Part(_programs)

"""Settings as the arguments of Celery's own worker command."""

from __future__ import annotations

import os

from faultmaven.tree import WorkerSettings


def celery_argv(settings: WorkerSettings) -> list[str]:
    """The arguments. Of concurrency and autoscale the settings have one."""
    argv = [
        "--quiet",
        "worker",
        "--pool=prefork",
        f"--queues={','.join(settings.queues)}",
        "--loglevel=WARNING",
        # Workers need not know of each other: rows decide who runs what.
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
    if settings.autoscale:
        fewest, most = settings.autoscale
        return [*argv, f"--autoscale={most},{fewest}"]
    return [*argv, f"--concurrency={settings.concurrency or os.cpu_count() or 1}"]

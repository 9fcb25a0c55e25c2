"""What to collect where there is nothing to go by yet: commands that only read, chosen by what the problem sounds like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from faultmaven_core.investigation.markdown import block, plain


@dataclass(frozen=True, slots=True)
class Collection:
    """Evidence of one kind: what it is, the words that call for it, and how to get it. `{name}` is what broke."""

    id: str
    what: str
    called_by: re.Pattern[str]
    commands: tuple[str, ...]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)


COLLECTIONS = (
    Collection(
        "kubernetes",
        "what Kubernetes says of the workload: description, events and logs",
        _words(r"pods?|k8s|kubernetes|kubectl|deployments?|namespaces?|crash\w*|oom\w*|imagepull\w*|jobs?|helm|ingress|nodes?|cluster|replicas?|containers?|pending|evicted"),
        (
            "kubectl describe pod {name} > describe.txt",
            "kubectl logs {name} --all-containers --previous > previous.log; kubectl logs {name} --all-containers > current.log",
            "kubectl get events --sort-by=.lastTimestamp > events.txt",
            "kubectl get pods,deployments,services,endpoints,configmaps -o yaml > objects.yaml",
        ),
    ),
    Collection(
        "database",
        "the database's sessions, locks and slow queries, and its metrics around the incident",
        _words(r"database|db|postgres\w*|mysql|mariadb|sql|rds|quer(?:y|ies)|replica(?:tion)?|deadlocks?|locks?|connections?"),
        (
            'psql -c "SELECT pid, state, wait_event_type, wait_event, now() - query_start AS runs, query FROM pg_stat_activity ORDER BY runs DESC" > activity.txt',
            'psql -c "SELECT * FROM pg_locks WHERE NOT granted" > locks.txt',
            'psql -c "SELECT calls, mean_exec_time, rows, query FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 30" > statements.txt',
        ),
    ),
    Collection(
        "host",
        "what the host says: kernel and system journal, memory, disks",
        _words(r"host|server|machine|vm|linux|systemd|service|disks?|memory|cpu|load|swap|kernel|ssh|reboot\w*|slow|process(?:es)?"),
        (
            'journalctl --since "2 hours ago" --no-pager > journal.log',
            "dmesg -T > dmesg.txt; free -m > free.txt; df -h > df.txt; df -i > inodes.txt; top -b -n 1 > top.txt",
        ),
    ),
    Collection(
        "application",
        "the application's log from before the problem began until now, with its timestamps",
        _words(r".+"),
        ('journalctl -u {name} --since "2 hours ago" --no-pager > {name}.log   # or the file that it writes its log to',),
    ),
)  # fmt: skip

_NAMED = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?")


def collections(problem: str, names: tuple[str, ...], most: int = 2) -> list[Collection]:
    """What to collect for a problem, the surest first, with the name of what broke in its commands."""
    called = next((name for name in names if _NAMED.fullmatch(name) and re.search(r"[-\d]", name)), "NAME")
    counts = [(len(one.called_by.findall(problem)), one) for one in COLLECTIONS[:-1]]
    chosen = [one for count, one in sorted(counts, key=lambda pair: -pair[0]) if count]
    return [
        Collection(one.id, one.what, one.called_by, tuple(text.replace("{name}", called) for text in one.commands))
        for one in [*chosen, COLLECTIONS[-1]][:most]
    ]


def asking(problem: str, names: tuple[str, ...]) -> Iterator[str]:
    """Asks for evidence, with the exact commands. Nothing is said of the problem itself: nothing is known of it."""
    yield "I have no evidence yet, so I know nothing about this problem and name no cause."
    yield "**What I need**, as files or pasted text; each command only reads:"
    for one in collections(problem, names):
        yield f"{plain(one.what[:1].upper() + one.what[1:])}:\n\n{block(one.commands, 'sh')}"
    yield (
        "Say also when it began, and what changed before. Everything at once is fine: an archive, a folder made by "
        "`fm collect k8s` or `fm collect host`."
    )

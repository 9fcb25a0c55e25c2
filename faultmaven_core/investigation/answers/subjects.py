"""Whether it is what somebody suspects: what the record says of one thing, by its name or by what kind of thing it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import EntityView, HypothesisView, RuledOut
from faultmaven_core.investigation.answers.known import Known, files
from faultmaven_core.investigation.markdown import UNCONTRADICTED, bullets, cited, plain

MOST = 5

KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "database": ("database", "databases", "db", "postgres", "postgresql", "mysql", "mariadb", "sql", "oracle", "mongodb", "rds", "replication", "query", "queries"),
        "network": ("network", "networking", "dns", "connectivity", "firewall", "packet", "packets", "tls", "certificate", "ingress", "netpol", "networkpolicy"),
        "memory": ("memory", "oom", "oomkilled", "ram", "heap", "swap", "leak"),
        "cpu": ("cpu", "throttling", "throttled", "processor"),
        "disk": ("disk", "disks", "storage", "filesystem", "volume", "volumes", "inode", "inodes", "iops", "pvc"),
        "configuration": ("configuration", "config", "configmap", "setting", "settings", "environment", "misconfigured", "misconfiguration", "configuration_error"),
        "deployment": ("deployment", "deploy", "deployed", "release", "rollout", "change", "version", "image", "tag"),
        "code": ("code", "bug", "code_defect"),
        "cache": ("cache", "redis", "memcached"),
        "queue": ("queue", "kafka", "rabbitmq", "broker", "topic", "consumer"),
        "permissions": ("permission", "permissions", "rbac", "access", "forbidden", "unauthorized", "denied", "security", "credentials", "secret"),
        "scheduling": ("scheduling", "scheduler", "node", "nodes", "taint", "affinity", "quota", "pending"),
    }
)  # fmt: skip
"""Words that mean one kind of thing, by its plain name."""

_LEADS = {
    Verdict.CONFIRMED: "**Yes: a person confirmed it.**",
    Verdict.SUSPECTED: "**It may be: I suspect it, and it is not proven.**",
}

_WORD = re.compile(r"[a-z0-9_]+")


def spoken_of(known: Known, names: tuple[str, ...]) -> bool:
    """Whether the record says anything of what was named."""
    record = known.record
    if record is None:
        return False
    _, wanted = _wanted(names)
    told = any(_about(one, wanted) for one in record.hypotheses)
    told = told or any(_about(one, wanted) for one in record.ruled_out)
    found = any(_matches(f"{one.statement} {_entity(one.entity)}", wanted) for one in record.findings)
    return told or found or bool(_checked(known, wanted))


def subject(known: Known, names: tuple[str, ...]) -> Iterator[str]:
    """Yes, no, or that the evidence does not speak of it; never more than that."""
    record, leading = known.record, known.leading
    if record is None:
        return
    told, wanted = _wanted(names)
    called = plain(", ".join(told))
    if leading is not None and record.root_cause is not None and _about(leading, wanted):
        lead = _LEADS.get(record.verdict, "**Yes, as far as the evidence goes.**")
        yield f"{lead} {cited(leading.statement, known.citations(leading.claims), 3)}"
        return
    ruled = [one for one in record.ruled_out if _about(one, wanted)]
    suffers = [one for one in record.hypotheses if one.status == "consequence" and _about(one, wanted)]
    possible = [one for one in known.open if _about(one, wanted)]
    findings = [one for one in record.findings if _matches(f"{one.statement} {_entity(one.entity)}", wanted)]
    checked = _checked(known, wanted)
    if possible:
        yield f"**Possibly.** It is not proven that it is {called}:"
        yield bullets(cited(one.statement, known.citations(one.claims)) for one in possible[:MOST])
    elif suffers:
        yield f"**No, {called} suffers from it.** What is seen there follows from the cause:"
        yield bullets(cited(one.statement, known.citations(one.claims)) for one in suffers[:MOST])
    elif ruled:
        yield f"**No.** I ruled it out for {called}:"
    elif checked or findings:
        yield f"**Nothing I know of explains the problem by {called}.** What the evidence says of it:"
    else:
        yield from _silent(known, called)
        return
    if ruled:
        yield bullets(
            f"{plain(one.statement.rstrip('.'))}: {cited(one.because, known.citations(one.claims))}"
            for one in ruled[:MOST]
        )
    if checked:
        yield bullets(checked)
    if findings:
        yield bullets(cited(one.statement, known.citations(one.claims), 1) for one in findings[:MOST])
    yield from instead(known)


def _checked(known: Known, wanted: frozenset[str]) -> list[str]:
    """What the leading explanation predicts of it, where somebody looked."""
    predictions = known.leading.predictions if known.leading else ()
    outcome = {"met": "so it is", "failed": "and it is not so"}
    return [
        cited(f"{one.text}: {outcome[one.status]}", known.citations(one.claims), silent=UNCONTRADICTED)
        for one in predictions
        if one.status in outcome and _matches(one.text, wanted)
    ]


def _silent(known: Known, called: str) -> Iterator[str]:
    read = [source.file for source in known.record.coverage] if known.record else []
    yield f"**The evidence does not speak of {called}**, so I can neither confirm nor exclude it. I read {files(read)}."
    yield from instead(known)


def instead(known: Known) -> Iterator[str]:
    """What it is, where it is known."""
    record, leading = known.record, known.leading
    if record is not None and record.root_cause is not None and leading is not None:
        yield f"What the evidence points to: {cited(leading.statement, known.citations(leading.claims))}"


def _wanted(names: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """What to call it, and the words that mean it."""
    told: list[str] = []
    wanted: set[str] = set()
    for name in names:
        words = set(_WORD.findall(name.casefold()))
        kinds = [kind for kind, means in KINDS.items() if words & {kind, *means}]
        told.append(name)
        wanted |= {name.casefold()} if len(words) > 1 else words
        for kind in kinds:
            # Naming one database asks for it alone; naming the kind asks for all that is of the kind.
            wanted |= {kind, *KINDS[kind]} if words & {kind, "db"} or kind in words else set()
    return tuple(told[:3]), frozenset(wanted)


def _about(one: HypothesisView | RuledOut, wanted: frozenset[str]) -> bool:
    category = str(one.category) if isinstance(one, HypothesisView) else ""
    return _matches(f"{one.mechanism.replace('.', ' ')} {one.statement} {_entity(one.entity)} {category}", wanted)


def _entity(entity: EntityView) -> str:
    return f"{entity.kind} {entity.namespace} {entity.name}"


def _matches(text: str, wanted: frozenset[str]) -> bool:
    folded = text.casefold()
    words = set(_WORD.findall(folded)) | {part for word in _WORD.findall(folded) for part in word.split("_")}
    return any(word in words or (len(_WORD.findall(word)) > 1 and word in folded) for word in wanted)

"""Probes that fail, or cannot succeed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import complaints
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject
from faultmaven_core.analysis.model import Category, Fact, Violation

_FAILED = re.compile(r"(?P<which>Liveness|Readiness|Startup) probe (?:failed|errored)[^:]*:?\s*(?P<how>.*)", re.DOTALL)
# Only a sleep at the beginning of a script delays what follows it.
_SLEEP = re.compile(r"sleep\s+(\d{1,5})\s*[;&]+\s*\S")


def _failures(cluster: Cluster, which: tuple[str, ...]) -> Iterator[tuple[Violation, Fact]]:
    for pod in cluster.of_kind("pod"):
        for fact in pod.all("event.Unhealthy") if complaints(pod, cluster) else ():
            match = _FAILED.match(str(fact.value))
            if match is not None and match["which"] in which:
                killed = pod.all("event.Killing")
                again = next(
                    (f for f in pod.under("status.containerStatuses") if f.attribute.endswith("restartCount")), None
                )
                code = re.search(r"statuscode: (\d{3})", match["how"])
                times = f" ({fact.count} times)" if fact.count > 1 else ""
                found = broken(
                    pod,
                    [fact, *killed[:1], again],
                    f"The {match['which'].lower()} probe of {pod} fails{times}: {match['how'].strip()}",
                    expected="a probe that the container answers",
                    probe=match["which"].lower(),
                    how=match["how"].strip(),
                    status_code=code[1] if code else "",
                    **_target(pod, match, cluster),
                    restarts=again.value if again is not None else "",
                )
                yield found, fact


def _target(pod: KubernetesObject, match: re.Match[str], cluster: Cluster) -> dict[str, Any]:
    """Which path and port the probe asks: from its message, else from the specification."""
    asked = re.search(r"https?://[^:/\"\s]*:?(?P<port>\d*)(?P<path>/[^\"\s]*)?", match["how"])
    if asked is not None:
        return asked.groupdict()
    for container in cluster.containers(pod, initial=False):
        given = {key: container.text(f"{match['which'].lower()}Probe.httpGet.{key}") for key in ("path", "port")}
        if given["port"]:
            return given
    return {}


@check(
    "kubernetes.liveness_probe_fails",
    why="After failureThreshold failures in a row the kubelet kills the container, however well it works.",
    remedy="Mend what the probe asks for, or ask something that says whether the process lives; give a slow start a startupProbe.",
    category=Category.CONFIGURATION_ERROR,
)
def liveness_probe_fails(cluster: Cluster) -> Iterator[Violation]:
    """A liveness or startup probe fails, and the kubelet kills the container."""
    return (found for found, _ in _failures(cluster, ("Liveness", "Startup")))


@check(
    "kubernetes.readiness_probe_fails",
    why="A pod that is not ready gets no traffic from its services, and a rollout waits for it.",
    remedy="Find out why the container does not answer: its log, and the dependencies that its readiness stands for.",
    category=Category.DEPENDENCY_FAILURE,
)
def readiness_probe_fails(cluster: Cluster) -> Iterator[Violation]:
    """A readiness probe fails."""
    return (found for found, _ in _failures(cluster, ("Readiness",)))


@check(
    "kubernetes.probe_shorter_than_start",
    why="The kubelet kills the container before it has started, each time again.",
    remedy="Give the container a startupProbe, or a longer initialDelaySeconds.",
    category=Category.CONFIGURATION_ERROR,
)
def probe_shorter_than_start(cluster: Cluster) -> Iterator[Violation]:
    """A container sleeps longer at its start than its liveness probe waits."""
    for each in cluster.workloads:
        for container in cluster.containers(each, initial=False):
            probe = container.at("livenessProbe")
            words = [*each.texts(container.at("command")), *each.texts(container.at("args"))]
            sleep = _SLEEP.match(words[-1].strip()) if words else None
            guarded = any(True for _ in each.under(container.at("startupProbe")))
            if sleep is None or guarded or not any(True for _ in each.under(probe)):
                continue
            # The defaults of period and threshold are those of the API.
            period, failures = each.number(f"{probe}.periodSeconds"), each.number(f"{probe}.failureThreshold")
            patience = (each.number(f"{probe}.initialDelaySeconds") or 0) + (period or 10) * (failures or 3)
            if int(sleep[1]) > patience:
                yield broken(
                    each,
                    [*each.under(probe)],
                    f"Container {container.name} of {each} sleeps {sleep[1]} s before it serves, "
                    f"but its livenessProbe gives up after {patience:.0f} s.",
                    expected=f"a liveness probe that waits at least {sleep[1]} s",
                    container=container.name,
                    probe="livenessProbe",
                )

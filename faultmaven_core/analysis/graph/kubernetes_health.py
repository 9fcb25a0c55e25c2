"""Which Kubernetes objects are not well now. What is over, on its way out, or only slow to start does not count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject
from faultmaven_core.analysis.graph.kubernetes_time import moment
from faultmaven_core.analysis.model import Entity, Fact

STARTING = frozenset({"ContainerCreating", "PodInitializing"})
"""Reasons for waiting that every healthy pod shows for a while."""

STUCK_START = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedScheduling", "Failed")
"""Events after which a start is no longer merely slow."""

LOOP_RESTARTS = 3
"""Restarts from which a container that runs just now may still be in a loop."""

LOOP_SECONDS = 15 * 60
"""A container whose last run was shorter restarts in a loop: the kubelet's back-off resets after 10 minutes of running."""

_GROUPS = ("status.initContainerStatuses", "status.containerStatuses")


def unwell(graph: EvidenceGraph) -> list[Fact]:
    """Facts that show an object is not well now, by entity, the most telling of each object first."""
    cluster = Cluster(graph)
    found = [fact for kind in _JUDGES for each in cluster.of_kind(kind) for fact in complaints(each, cluster)]
    return list(dict.fromkeys(sorted(found, key=lambda fact: fact.entity)))


def complaints(each: KubernetesObject, cluster: Cluster) -> list[Fact]:
    """The facts that show an object is not well now; none where it is well, or only on its way out."""
    judge = _JUDGES.get(each.entity.kind)
    found = list(judge(each)) if judge is not None else []
    return [] if found and superseded(each, cluster) else found


def healthy(graph: EvidenceGraph) -> list[Entity]:
    """Objects that the evidence shows in a good state now."""
    cluster = Cluster(graph)
    return sorted(
        each.entity
        for kind in _JUDGES
        for each in cluster.of_kind(kind)
        if any(True for _ in each.under("status")) and not complaints(each, cluster)
    )


def ready(pod: KubernetesObject) -> bool:
    """Whether a pod is ready to serve, or has done its work."""
    return pod.text("status.conditions.Ready.status") == "True" or _done(pod)


def superseded(each: KubernetesObject, cluster: Cluster) -> bool:
    """Whether a pod is on its way out: being deleted, or of an old replica set whose successor has taken over."""
    if each.entity.kind != "pod":
        return False
    # A deleted pod on a node that died cannot leave; then it is a symptom of the node, not a past rollout.
    if each.text("status.phase") == "Unknown":
        return False
    if each.fact("metadata.deletionTimestamp") is not None or each.fact("status.deleting") is not None:
        return True
    replica_set = _above(each.entity, "replicaset", cluster)
    deployment = _above(replica_set, "deployment", cluster) if replica_set is not None else None
    if replica_set is None or deployment is None:
        return False
    owner = cluster.find("deployment", deployment.name, deployment.namespace)
    wanted = owner.number("spec.replicas") if owner is not None else None
    if wanted is None:
        return False
    others = [
        cluster.object(pod)
        for successor in _below(deployment, "replicaset", cluster)
        if successor.name != replica_set.name
        for pod in _below(successor, "pod", cluster)
    ]
    return 0 < wanted <= sum(ready(pod) for pod in others)


def _below(entity: Entity, kind: str, cluster: Cluster) -> set[Entity]:
    return {
        relation.b
        for other, relation in cluster.graph.neighbours(entity)
        if relation.kind == "owns" and relation.a == entity and other.kind == kind
    }


def _above(entity: Entity, kind: str, cluster: Cluster) -> Entity | None:
    owners = [
        relation.a
        for other, relation in cluster.graph.neighbours(entity)
        if relation.kind == "owns" and relation.b == entity and other.kind == kind
    ]
    return min(owners, default=None)


def _done(pod: KubernetesObject) -> bool:
    if pod.text("status.phase") == "Succeeded":
        return True
    group = _GROUPS[1]
    states = [pod.text(f"{group}.{name}.state.terminated.reason") for name in pod.keys(group)]
    return bool(states) and all(state == "Completed" for state in states)


def _pod(pod: KubernetesObject) -> Iterator[Fact]:
    if _done(pod):
        return
    if ready(pod):
        yield from _looping(pod)
        return
    shown = [fact for group in _GROUPS for name in pod.keys(group) for fact in _container(pod, f"{group}.{name}")]
    yield from shown
    if not shown and pod.fact("status.conditions.Ready.status") is None:  # cut descriptions tell of containers alone
        yield from _looping(pod)
    yield from _given(pod, "status.phase", "Pending", "Failed", "Unknown")
    yield from _given(pod, "status.reason", "Evicted", "NodeLost", "NodeAffinity", "UnexpectedAdmissionError")
    slow = any(
        pod.text(f"{group}.{name}.state.waiting.reason") in STARTING for group in _GROUPS for name in pod.keys(group)
    )
    stuck = any(pod.all(f"event.{reason}") for reason in STUCK_START)
    if shown or stuck or not slow:
        yield from _given(pod, "status.conditions.PodScheduled.status", "False")
        yield from _given(pod, "status.conditions.Ready.status", "False", "Unknown")


def _container(pod: KubernetesObject, path: str) -> Iterator[Fact]:
    waiting = pod.fact(f"{path}.state.waiting.reason")
    if waiting is not None and waiting.value not in STARTING:
        yield waiting
    ended = pod.fact(f"{path}.state.terminated.exitCode") or pod.fact(f"{path}.state.terminated.reason")
    if ended is not None and ended.value not in (0, "Completed"):
        yield ended
    if pod.text(f"{path}.ready") == "False" and pod.fact(f"{path}.state.terminated.reason") is None:
        again = pod.fact(f"{path}.restartCount")
        if again is not None and isinstance(again.value, int) and again.value >= LOOP_RESTARTS:
            yield again


def _looping(pod: KubernetesObject) -> Iterator[Fact]:
    """Containers that run just now, but whose last runs were short, or ended for want of memory time and again."""
    group = _GROUPS[1]
    for name in pod.keys(group):
        path = f"{group}.{name}"
        again = pod.fact(f"{path}.restartCount")
        if again is None or not isinstance(again.value, int) or again.value < LOOP_RESTARTS:
            continue
        if pod.text(f"{path}.lastState.terminated.reason") == "OOMKilled":
            yield again  # hours apart is a slow leak, and no less a failure than minutes apart
            continue
        began, ended = (moment(pod.text(f"{path}.lastState.terminated.{key}")) for key in ("startedAt", "finishedAt"))
        if began is None or ended is None:
            continue
        running = moment(pod.text(f"{path}.state.running.startedAt"))
        latest = max((fact.when for fact in pod.under("event") if fact.when is not None), default=ended)
        settled = running is not None and latest - running > LOOP_SECONDS
        if ended - began < LOOP_SECONDS and not settled:
            yield again


def _workload(each: KubernetesObject) -> Iterator[Fact]:
    wanted = each.number("spec.replicas")
    if wanted is None:
        wanted = each.number("status.desiredNumberScheduled")
    for path in ("status.readyReplicas", "status.availableReplicas", "status.numberAvailable"):
        have = each.number(path)
        fact = each.fact(path)
        if fact is not None and have is not None and wanted is not None and have < wanted:
            yield fact
            break
    missing = each.fact("status.unavailableReplicas")
    if missing is not None and (each.number("status.unavailableReplicas") or 0) > 0:
        yield missing
    yield from _given(each, "status.conditions.Available.status", "False")
    yield from _given(each, "status.conditions.Progressing.status", "False")
    yield from _given(each, "status.conditions.ReplicaFailure.status", "True")


def _replica_set(each: KubernetesObject) -> Iterator[Fact]:
    yield from _given(each, "status.conditions.ReplicaFailure.status", "True")


def _job(each: KubernetesObject) -> Iterator[Fact]:
    if each.text("status.conditions.Complete.status") == "True" or each.text("status.completionTime"):
        return
    yield from _given(each, "status.conditions.Failed.status", "True")
    failed = each.fact("status.failed")
    if failed is not None and (each.number("status.failed") or 0) > 0 and not each.number("status.succeeded"):
        yield failed


def _node(each: KubernetesObject) -> Iterator[Fact]:
    yield from _given(each, "status.conditions.Ready.status", "False", "Unknown")
    for pressure in ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"):
        yield from _given(each, f"status.conditions.{pressure}.status", "True")


def _claim(each: KubernetesObject) -> Iterator[Fact]:
    waits = each.all("event.WaitForFirstConsumer") and not each.all("event.ProvisioningFailed")
    if not waits:
        yield from _given(each, "status.phase", "Pending", "Lost", "Failed")


def _scaler(each: KubernetesObject) -> Iterator[Fact]:
    yield from _given(each, "status.conditions.ScalingActive.status", "False")
    yield from _given(each, "status.conditions.AbleToScale.status", "False")


def _service(each: KubernetesObject) -> Iterator[Fact]:
    ends = each.fact("status.endpoints")
    if ends is not None and ends.value == "" and each.keys("spec.selector"):
        yield ends


def _namespace(each: KubernetesObject) -> Iterator[Fact]:
    yield from _given(each, "status.phase", "Terminating")


def _given(each: KubernetesObject, path: str, *values: str) -> Iterable[Fact]:
    fact = each.fact(path)
    return [fact] if fact is not None and str(fact.value) in values else []


_JUDGES: Mapping[str, Callable[[KubernetesObject], Iterator[Fact]]] = {
    "pod": _pod,
    "deployment": _workload,
    "statefulset": _workload,
    "daemonset": _workload,
    "replicaset": _replica_set,
    "job": _job,
    "node": _node,
    "persistentvolumeclaim": _claim,
    "persistentvolume": _claim,
    "horizontalpodautoscaler": _scaler,
    "service": _service,
    "namespace": _namespace,
}

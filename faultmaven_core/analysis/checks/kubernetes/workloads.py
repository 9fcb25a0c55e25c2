"""Workloads, jobs and nodes that do not do what they are there for."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import complaints
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster
from faultmaven_core.analysis.model import Category, Violation

_PRESSURE = ("MemoryPressure", "DiskPressure", "PIDPressure")


@check(
    "kubernetes.rollout_stuck",
    why="The new version is not in service; the old one serves as far as the strategy left pods of it.",
    remedy="Look at the newest replica set's pods, mend what keeps them from being ready, or `kubectl rollout undo`.",
    category=Category.CONFIGURATION_ERROR,
)
def rollout_stuck(cluster: Cluster) -> Iterator[Violation]:
    """A deployment's rollout passed its deadline."""
    for each in cluster.of_kind("deployment"):
        fact, why = each.fact("status.conditions.Progressing.status"), each.fact("status.conditions.Progressing.reason")
        if fact is not None and fact.value == "False" and why is not None and why.value == "ProgressDeadlineExceeded":
            yield broken(
                each,
                [why, each.fact("status.conditions.Progressing.message"), each.fact("status.unavailableReplicas")],
                f"The rollout of {each} does not progress: ProgressDeadlineExceeded.",
                expected="all replicas updated and available",
                message=each.text("status.conditions.Progressing.message"),
            )


@check(
    "kubernetes.replicas_missing",
    why="Fewer pods than wanted carry the load.",
    remedy="Look at the pods that are not ready.",
    category=Category.UNKNOWN,
)
def replicas_missing(cluster: Cluster) -> Iterator[Violation]:
    """Fewer replicas than wanted are ready."""
    for each in cluster.of_kind("deployment", "statefulset", "daemonset"):
        found = complaints(each, cluster)
        wanted = each.fact("spec.replicas") or each.fact("status.desiredNumberScheduled")
        have = next((f for f in found if f.attribute.endswith(("Replicas", "numberAvailable"))), None)
        if have is not None and wanted is not None:
            few = f"{have.value} of {wanted.value}"
            if have.attribute.endswith("unavailableReplicas"):
                few = f"{int(each.number('spec.replicas') or 0) - int(each.number(have.attribute) or 0)} of {wanted.value}"
            yield broken(
                each,
                [have, wanted],
                f"Only {few} replicas of {each} are ready.",
                expected=f"{wanted.value} ready replicas",
                ready=few.split(" ", maxsplit=1)[0],
                wanted=wanted.value,
            )


@check(
    "kubernetes.job_failed",
    why="The work of the job was not done; it is not tried again once backoffLimit is reached.",
    remedy="Read the log of a failed pod and mend what it names, then create the job again.",
    category=Category.CODE_DEFECT,
)
def job_failed(cluster: Cluster) -> Iterator[Violation]:
    """A job has failed."""
    for each in cluster.of_kind("job"):
        found = complaints(each, cluster)
        if found:
            reason = each.text("status.conditions.Failed.reason")
            limit, failed = each.fact("spec.backoffLimit"), each.fact("status.failed")
            why = f": {reason}" if reason else ""
            tries = f" after {failed.value} failed pods" if failed is not None and failed.value else ""
            yield broken(
                each,
                [*found, limit, *each.all("event.BackoffLimitExceeded")],
                f"{each} has failed{tries}{why}.",
                expected="a job that completes",
                failed=failed.value if failed is not None else "",
                backoff_limit=limit.value if limit is not None else "",
                reason=reason,
            )


@check(
    "kubernetes.cronjob_suspended",
    why="A suspended cron job starts no jobs.",
    remedy="Set suspend to false if its jobs are wanted.",
    category=Category.CONFIGURATION_ERROR,
)
def cronjob_suspended(cluster: Cluster) -> Iterator[Violation]:
    """A cron job is suspended."""
    for each in cluster.of_kind("cronjob"):
        fact = each.fact("spec.suspend")
        if fact is not None and fact.value is True:
            yield broken(
                each,
                [fact],
                f"{each} is suspended: no job of the schedule {each.text('spec.schedule')} starts.",
                expected="suspend: false",
                schedule=each.text("spec.schedule"),
            )


@check(
    "kubernetes.node_not_ready",
    why="Pods on a node that is not ready are taken out of service, and evicted after five minutes.",
    remedy="Look at the node's kubelet, its runtime, its network and its resources; drain or replace it.",
    category=Category.INFRASTRUCTURE,
)
def node_not_ready(cluster: Cluster) -> Iterator[Violation]:
    """A node is not ready."""
    for node in cluster.of_kind("node"):
        fact = node.fact("status.conditions.Ready.status")
        if fact is None or fact.value not in ("False", "Unknown"):
            continue
        why = node.fact("status.conditions.Ready.message") or node.fact("status.conditions.Ready.reason")
        under = [p for p in _PRESSURE if node.text(f"status.conditions.{p}.status") == "True"]
        on = sorted(
            o.name for o, r in cluster.graph.neighbours(node.entity) if r.kind == "runs_on" and r.b == node.entity
        )
        yield broken(
            node,
            [fact, why, *(node.fact(f"status.conditions.{p}.status") for p in under), *node.all("event.NodeNotReady")],
            f"Node {node.entity.name} is not ready (Ready is {fact.value})"
            f"{': ' + str(why.value) if why is not None else ''}.",
            expected="Ready True",
            ready_status=fact.value,
            message=why.value if why is not None else "",
            pressure=" and ".join(under),
            pods=", ".join(on[:6]),
        )


@check(
    "kubernetes.node_under_pressure",
    why="Under pressure the kubelet evicts pods and takes no new ones.",
    remedy="Free the resource on the node: images, logs, memory, processes.",
    category=Category.RESOURCE_EXHAUSTION,
)
def node_under_pressure(cluster: Cluster) -> Iterator[Violation]:
    """A node runs out of memory, disk or process ids."""
    for node in cluster.of_kind("node"):
        for name in _PRESSURE:
            fact = node.fact(f"status.conditions.{name}.status")
            if fact is not None and fact.value == "True":
                yield broken(
                    node,
                    [fact, node.fact(f"status.conditions.{name}.message")],
                    f"Node {node.entity.name} is under {name}.",
                    expected=f"{name} False",
                    pressure=name,
                )


@check(
    "kubernetes.deletion_stuck",
    why="An object with finalizers stays until their controllers have done their part; if those are gone it stays for ever.",
    remedy="Find the controller of the finalizer; remove the finalizer only when its clean-up is done.",
    category=Category.CONFIGURATION_ERROR,
)
def deletion_stuck(cluster: Cluster) -> Iterator[Violation]:
    """An object is being deleted, but finalizers hold it."""
    for each in cluster.of_kind(
        "namespace", "persistentvolumeclaim", "persistentvolume", "pod", "service", "deployment"
    ):
        stamp = each.fact("metadata.deletionTimestamp")
        held = each.texts("metadata.finalizers") or each.texts("spec.finalizers")
        if stamp is not None and held:
            yield broken(
                each,
                [stamp, *each.under("metadata.finalizers"), *each.under("spec.finalizers")],
                f"{each} is being deleted since {stamp.value} but the finalizer {', '.join(held)} holds it.",
                expected="finalizers that their controllers remove",
                finalizer=", ".join(held),
            )

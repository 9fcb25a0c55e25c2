"""Autoscalers that cannot scale."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject
from faultmaven_core.analysis.model import Category, Fact, Violation


def _target(scaler: KubernetesObject, cluster: Cluster) -> KubernetesObject | None:
    kind, name = scaler.text("spec.scaleTargetRef.kind").lower(), scaler.text("spec.scaleTargetRef.name")
    return cluster.find(kind, name, scaler.entity.namespace)


def _utilization(scaler: KubernetesObject) -> dict[str, Fact]:
    """Resources that are scaled by a share of their request, with the place that says so (v2 and v1)."""
    found = {}
    for fact in scaler.under("spec"):
        base, _, last = fact.attribute.rpartition(".")
        if last in ("averageUtilization", "targetAverageUtilization"):
            holder = base.removesuffix(".target")
            found[scaler.text(f"{holder}.name") or "cpu"] = fact
        elif last == "targetCPUUtilizationPercentage":
            found["cpu"] = fact
    return found


@check(
    "kubernetes.autoscaler_without_requests",
    why="Utilization is a share of the request: without requests the autoscaler has no number to compare and never scales.",
    remedy="Give every container of the target a request for the resource.",
    category=Category.CONFIGURATION_ERROR,
)
def autoscaler_without_requests(cluster: Cluster) -> Iterator[Violation]:
    """An autoscaler scales by utilization of a resource that the target's containers do not request."""
    for scaler in cluster.of_kind("horizontalpodautoscaler"):
        target = _target(scaler, cluster)
        for resource, fact in _utilization(scaler).items() if target is not None else ():
            bare = (
                [
                    container.name
                    for container in cluster.containers(target, initial=False)
                    if not container.text(f"resources.requests.{resource}")
                    and not container.text(f"resources.limits.{resource}")
                ]
                if target is not None
                else []
            )
            if target is not None and bare:
                yield broken(
                    scaler,
                    [fact, *(target.fact(c.at("name")) for c in cluster.containers(target, initial=False))],
                    f"HorizontalPodAutoscaler {scaler.entity.name} scales by {resource} utilization of {target}, "
                    f"whose container {', '.join(bare)} has no {resource} resource requests.",
                    expected=f"a {resource} request on every container of {target}",
                    otherwise="the autoscaler could compute utilization",
                    resource=resource,
                    target=target.entity.name,
                    container=", ".join(bare),
                    percent=fact.value,
                )


@check(
    "kubernetes.autoscaler_target_missing",
    why="An autoscaler whose target does not exist does nothing (FailedGetScale).",
    remedy="Correct scaleTargetRef.",
    category=Category.CONFIGURATION_ERROR,
)
def autoscaler_target_missing(cluster: Cluster) -> Iterator[Violation]:
    """An autoscaler's target does not exist."""
    for scaler in cluster.of_kind("horizontalpodautoscaler"):
        kind, name = scaler.text("spec.scaleTargetRef.kind"), scaler.text("spec.scaleTargetRef.name")
        if name and _target(scaler, cluster) is None and cluster.lists(kind.lower(), scaler.entity.namespace):
            yield broken(
                scaler,
                [scaler.fact("spec.scaleTargetRef.name")],
                f"HorizontalPodAutoscaler {scaler.entity.name} wants to scale {kind} {name}, which does not exist.",
                expected=f"{kind} {name}",
                target=name,
                missing=name,
                missing_kind=kind,
            )


@check(
    "kubernetes.autoscaler_has_no_room",
    why="With equal bounds the autoscaler may not change anything, whatever the load.",
    remedy="Raise maxReplicas above minReplicas.",
    category=Category.CONFIGURATION_ERROR,
)
def autoscaler_has_no_room(cluster: Cluster) -> Iterator[Violation]:
    """An autoscaler's minimum is its maximum."""
    for scaler in cluster.of_kind("horizontalpodautoscaler"):
        least, most = scaler.fact("spec.minReplicas"), scaler.fact("spec.maxReplicas")
        if least is not None and most is not None and least.value == most.value:
            yield broken(
                scaler,
                [least, most],
                f"HorizontalPodAutoscaler {scaler.entity.name} has minReplicas and maxReplicas {most.value}: it cannot scale.",
                expected="maxReplicas above minReplicas",
                target=scaler.text("spec.scaleTargetRef.name"),
            )


@check(
    "kubernetes.autoscaler_cannot_compute",
    why="An autoscaler without metrics leaves the number of replicas as it is.",
    remedy="Do what the message says: run the metrics server, set requests, or correct the metric's name.",
    category=Category.CONFIGURATION_ERROR,
)
def autoscaler_cannot_compute(cluster: Cluster) -> Iterator[Violation]:
    """An autoscaler reports that it cannot get or compute its metric."""
    reasons = ("FailedGetResourceMetric", "FailedComputeMetricsReplicas", "FailedGetScale", "FailedGetExternalMetric")
    for scaler in cluster.of_kind("horizontalpodautoscaler"):
        inactive = scaler.fact("status.conditions.ScalingActive.status")
        told = scaler.fact("status.conditions.ScalingActive.message")
        said = [fact for reason in reasons for fact in scaler.all(f"event.{reason}")]
        if (
            inactive is not None
            and inactive.value == "False"
            and scaler.text("status.conditions.ScalingActive.reason") != "ScalingDisabled"
        ):
            message = str(told.value) if told is not None else str(said[0].value) if said else ""
            yield broken(
                scaler,
                [inactive, told, *said[:1]],
                f"HorizontalPodAutoscaler {scaler.entity.name} cannot scale: {message or 'ScalingActive is False'}",
                expected="ScalingActive True",
                target=scaler.text("spec.scaleTargetRef.name"),
                message=message,
            )

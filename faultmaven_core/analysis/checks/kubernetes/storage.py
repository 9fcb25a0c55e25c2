"""Claims that cannot be bound."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import complaints
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster
from faultmaven_core.analysis.model import Category, Violation


@check(
    "kubernetes.storage_class_missing",
    why="No provisioner answers for the class: the claim stays Pending, and so do the pods that mount it.",
    remedy="Use a class that `kubectl get storageclass` lists, or create the class.",
    category=Category.CONFIGURATION_ERROR,
)
def storage_class_missing(cluster: Cluster) -> Iterator[Violation]:
    """A claim asks for a storage class that does not exist.

    Certain where classes are listed; possible where none is shown and nothing says that the claim is bound.
    """
    for claim in cluster.of_kind("persistentvolumeclaim"):
        fact = claim.fact("spec.storageClassName")
        name = str(fact.value) if fact is not None else ""
        settled = claim.text("status.phase") == "Bound" or claim.text("spec.volumeName")
        provided = any(volume.text("spec.storageClassName") == name for volume in cluster.of_kind("persistentvolume"))
        if not name or settled or provided or cluster.find("storageclass", name, "") is not None:
            continue
        users = sorted(
            o.name for o, r in cluster.graph.neighbours(claim.entity) if r.kind == "mounts" and o != claim.entity
        )
        listed = cluster.lists("storageclass", "")
        yield broken(
            claim,
            [fact, claim.fact("status.phase")],
            f"PersistentVolumeClaim {claim.entity.name} asks for the StorageClass {name}, "
            f"{'which does not exist' if listed else 'which nothing in the evidence defines'}.",
            expected=f"a StorageClass {name}",
            otherwise="the claim would be bound and the pods that mount it could start",
            certain=listed,
            storage_class=name,
            claim=claim.entity.name,
            users=", ".join(users),
        )


@check(
    "kubernetes.claim_pending",
    why="Pods that mount the claim are not scheduled, or wait in ContainerCreating.",
    remedy="Look at the claim's events: a class, a capacity or an access mode does not fit.",
    category=Category.INFRASTRUCTURE,
)
def claim_pending(cluster: Cluster) -> Iterator[Violation]:
    """A claim is not bound."""
    for claim in cluster.of_kind("persistentvolumeclaim"):
        found = complaints(claim, cluster)
        if found:
            said = [*claim.all("event.ProvisioningFailed"), *claim.all("event.FailedBinding")]
            yield broken(
                claim,
                [*found, *said[:1]],
                f"PersistentVolumeClaim {claim.entity.name} is {found[0].value}"
                + (f": {said[0].value}" if said else "."),
                expected="status.phase Bound",
                claim=claim.entity.name,
                storage_class=claim.text("spec.storageClassName"),
                message=said[0].value if said else "",
            )


@check(
    "kubernetes.volume_mount_unknown",
    why="The API refuses the pod: volumeMounts must name an entry of volumes.",
    remedy="Correct the mount's name, or add the volume.",
    category=Category.CONFIGURATION_ERROR,
)
def volume_mount_unknown(cluster: Cluster) -> Iterator[Violation]:
    """A container mounts a volume that its pod does not define."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            base = container.path.rsplit(".", 2)[0]
            volumes = set(each.keys(f"{base}.volumes"))
            made = {
                each.text(f"spec.volumeClaimTemplates.{key}.metadata.name")
                for key in each.keys("spec.volumeClaimTemplates")
            }
            for name in each.keys(container.at("volumeMounts")) if volumes | made else ():
                if name not in volumes | made and not name.startswith("kube-api-access-"):
                    yield broken(
                        each,
                        [container.fact(f"volumeMounts.{name}.name")],
                        f"Container {container.name} of {each} mounts the volume {name}, which the pod does not define.",
                        expected=f"a volume {name}",
                        container=container.name,
                        missing=name,
                    )

"""Names that point to objects which are not there."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import ready
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster, KubernetesObject
from faultmaven_core.analysis.model import Category, Fact, Violation

_NAMES = {
    "configmap": ("configMap.name", "valueFrom.configMapKeyRef.name", "configMapRef.name"),
    "secret": ("secret.secretName", "valueFrom.secretKeyRef.name", "secretRef.name"),
    "persistentvolumeclaim": ("persistentVolumeClaim.claimName",),
}
_SHOWN = {"configmap": "ConfigMap", "secret": "Secret", "persistentvolumeclaim": "PersistentVolumeClaim"}


def _references(each: KubernetesObject, kind: str) -> Iterator[Fact]:
    """Facts that name an object of the kind and do not call it optional."""
    base = TEMPLATES[each.entity.kind]
    for fact in each.under(base):
        for ending in _NAMES[kind]:
            holder = fact.attribute.removesuffix(ending)
            if holder != fact.attribute:
                optional = each.fact(f"{fact.attribute.rpartition('.')[0]}.optional")
                if optional is None or optional.value is not True:
                    yield fact


def _missing(cluster: Cluster, kind: str) -> Iterator[Violation]:
    for each in cluster.workloads:
        namespace = each.entity.namespace
        seen = set()
        # Where nothing of the kind is shown, a reference may well be met: it counts only while nothing of the
        # cluster's state is shown either, so that the manifests are all there is to judge by.
        if not cluster.lists(kind, namespace) and any(True for _ in each.under("status")):
            continue
        for fact in _references(each, kind):
            name = str(fact.value)
            if name in seen or cluster.find(kind, name, namespace) is not None:
                continue
            seen.add(name)
            others = sorted(
                o.entity.name for o in cluster.of_kind(kind) if o.entity.namespace in ("", namespace) or not namespace
            )
            yield broken(
                each,
                [fact],
                f"{each} refers to {_SHOWN[kind]} {name}, which is not among "
                f"{'those shown of the namespace (' + ', '.join(others[:5]) + ')' if others else 'the evidence'}.",
                expected=f"{_SHOWN[kind]} {name} in the namespace of {each}",
                otherwise="its containers could be created",
                certain=cluster.lists(kind, namespace),
                missing=name,
                missing_kind=_SHOWN[kind],
                others=", ".join(others[:5]),
            )


@check(
    "kubernetes.configmap_missing",
    why="The kubelet cannot create the container until the config map is there (CreateContainerConfigError, FailedMount).",
    remedy="Create the config map, or correct its name in the pod's specification.",
    category=Category.CONFIGURATION_ERROR,
)
def configmap_missing(cluster: Cluster) -> Iterator[Violation]:
    """A config map that a pod needs does not exist."""
    return _missing(cluster, "configmap")


@check(
    "kubernetes.secret_missing",
    why="The kubelet cannot create the container until the secret is there (CreateContainerConfigError, FailedMount).",
    remedy="Create the secret, or correct its name in the pod's specification.",
    category=Category.CONFIGURATION_ERROR,
)
def secret_missing(cluster: Cluster) -> Iterator[Violation]:
    """A secret that a pod needs does not exist."""
    return _missing(cluster, "secret")


@check(
    "kubernetes.claim_missing",
    why="The scheduler does not place a pod whose claim is missing.",
    remedy="Create the claim, or correct its name in the pod's volumes.",
    category=Category.CONFIGURATION_ERROR,
)
def claim_missing(cluster: Cluster) -> Iterator[Violation]:
    """A persistent volume claim that a pod mounts does not exist."""
    return _missing(cluster, "persistentvolumeclaim")


@check(
    "kubernetes.key_missing",
    why="The container is not created: CreateContainerConfigError, couldn't find key.",
    remedy="Add the key, or correct its name in the container's environment.",
    category=Category.CONFIGURATION_ERROR,
)
def key_missing(cluster: Cluster) -> Iterator[Violation]:
    """A config map or secret lacks the key that a container asks for."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            for variable in each.keys(container.at("env")):
                for ref, kind in (("configMapKeyRef", "configmap"), ("secretKeyRef", "secret")):
                    path = container.at(f"env.{variable}.valueFrom.{ref}")
                    key, name = each.text(f"{path}.key"), each.text(f"{path}.name")
                    holder = cluster.find(kind, name, each.entity.namespace) if name else None
                    if holder is None or not key or each.text(f"{path}.optional") == "True":
                        continue
                    keys = [k for part in ("data", "stringData", "binaryData") for k in holder.mapping(part)]
                    if keys and key not in keys:
                        yield broken(
                            each,
                            [each.fact(f"{path}.key"), holder.fact("metadata.name")],
                            f"{each} asks for the key {key} of {_SHOWN[kind]} {name}, which has only {', '.join(keys)}.",
                            expected=f"the key {key} in {_SHOWN[kind]} {name}",
                            missing=key,
                            missing_kind="key",
                            container=container.name,
                            others=", ".join(keys),
                        )


@check(
    "kubernetes.mounted_key_missing",
    why="The kubelet cannot mount a key that the config map or secret does not have; the pod stays in ContainerCreating.",
    remedy="Add the key, or correct its name in the volume's items or the mount's subPath.",
    category=Category.CONFIGURATION_ERROR,
)
def mounted_key_missing(cluster: Cluster) -> Iterator[Violation]:
    """A volume names a key that its config map or secret does not have."""
    for each in cluster.workloads:
        base = f"{TEMPLATES[each.entity.kind]}.volumes"
        for volume in each.keys(base):
            for source, kind, named in (("configMap", "configmap", "name"), ("secret", "secret", "secretName")):
                path = f"{base}.{volume}.{source}"
                holder = cluster.find(kind, each.text(f"{path}.{named}"), each.entity.namespace)
                keys = (
                    {k for part in ("data", "stringData", "binaryData") for k in holder.mapping(part)}
                    if holder
                    else set()
                )
                for fact in each.under(f"{path}.items") if keys else ():
                    if fact.attribute.endswith(".key") and str(fact.value) not in keys:
                        yield broken(
                            each,
                            [fact, holder.fact("metadata.name") if holder else None],
                            f"{each} mounts the key {fact.value} of {_SHOWN[kind]} {each.text(f'{path}.{named}')}, "
                            f"which has only {', '.join(sorted(keys))}.",
                            expected=f"the key {fact.value}",
                            missing=fact.value,
                            missing_kind="key",
                            others=", ".join(sorted(keys)),
                        )


_KINDS = {"serviceaccount": "ServiceAccount", **_SHOWN}
_REPORTS = (
    "signature.kubernetes.object_not_found",
    "signature.kubernetes.key_not_found",
    "signature.storage.mount_failed",
)


@check(
    "kubernetes.object_reported_missing",
    why="The kubelet or a controller looked for the object and did not find it; what refers to it cannot start.",
    remedy="Create the object, or correct its name where it is referred to.",
    category=Category.CONFIGURATION_ERROR,
)
def object_reported_missing(cluster: Cluster) -> Iterator[Violation]:
    """A component reports that an object does not exist.

    What has been created since is history: an object that the evidence shows is not missing.
    """
    for fact in (found for report in _REPORTS for found in cluster.graph.all_facts(report)):
        said = dict(fact.params)
        kind, name = said.get("missing_kind", "").lower(), said.get("missing", "")
        about = cluster.object(fact.entity)
        holder = said.get("holder", "")
        there = cluster.find(kind, name.rpartition("/")[2], fact.entity.namespace) is not None
        if not name or (there and not holder) or ready(about):
            continue
        shown = f"key {name} of {_KINDS.get(kind, kind)} {holder}" if holder else f"{_KINDS.get(kind, kind)} {name}"
        yield broken(
            about,
            [fact],
            f"{about} needs the {shown}, which was not found: {fact.value}",
            expected=f"the {shown}",
            missing=name,
            missing_kind="key" if holder else _KINDS.get(kind, kind),
            others="",
        )


@check(
    "kubernetes.serviceaccount_missing",
    why="The controller cannot create pods: the admission of service accounts refuses them.",
    remedy="Create the service account, or correct serviceAccountName.",
    category=Category.CONFIGURATION_ERROR,
)
def serviceaccount_missing(cluster: Cluster) -> Iterator[Violation]:
    """A service account that a workload uses does not exist."""
    for each in cluster.workloads:
        fact = each.fact(f"{TEMPLATES[each.entity.kind]}.serviceAccountName")
        name = str(fact.value) if fact is not None else ""
        known = cluster.lists("serviceaccount", each.entity.namespace)
        # Every namespace has an account `default` that manifests do not repeat.
        if name in ("", "default") or not known or cluster.find("serviceaccount", name, each.entity.namespace):
            continue
        yield broken(
            each,
            [fact],
            f"{each} runs as ServiceAccount {name}, which does not exist in its namespace.",
            expected=f"ServiceAccount {name}",
            missing=name,
            missing_kind="ServiceAccount",
        )


@check(
    "kubernetes.ingress_backend_missing",
    why="The ingress controller answers such requests with 503 or 404.",
    remedy="Correct the service's name in the ingress, or create the service.",
    category=Category.CONFIGURATION_ERROR,
)
def ingress_backend_missing(cluster: Cluster) -> Iterator[Violation]:
    """An ingress sends traffic to a service that does not exist."""
    for ingress in cluster.of_kind("ingress"):
        for fact in ingress.under("spec"):
            name = str(fact.value)
            named = fact.attribute.endswith(
                ("backend.service.name", "backend.serviceName", "defaultBackend.service.name")
            )
            known = cluster.lists("service", ingress.entity.namespace)
            if named and known and cluster.find("service", name, ingress.entity.namespace) is None:
                yield broken(
                    ingress,
                    [fact],
                    f"Ingress {ingress.entity.name} sends traffic to Service {name}, which does not exist in its namespace.",
                    expected=f"Service {name}",
                    missing=name,
                    missing_kind="Service",
                )

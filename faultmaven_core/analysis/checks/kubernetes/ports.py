"""Ports that do not fit together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import (
    Cluster,
    Container,
    KubernetesObject,
    pod_labels,
    same_namespace,
)
from faultmaven_core.analysis.model import Category, Fact, Violation

_PROBES = {"livenessProbe": "liveness probe", "readinessProbe": "readiness probe", "startupProbe": "startup probe"}


def probe_port(container: Container, probe: str) -> Fact | None:
    """Where a probe says which port it asks."""
    for way in ("httpGet", "tcpSocket", "grpc"):
        found = container.fact(f"{probe}.{way}.port")
        if found is not None:
            return found
    return None


@check(
    "kubernetes.probe_port_not_exposed",
    why="Nothing answers on the port, so the probe fails: a liveness probe then kills a healthy container again and again.",
    remedy="Let the probe ask the port that the container listens on, or declare the port if it does listen there.",
    category=Category.CONFIGURATION_ERROR,
)
def probe_port_not_exposed(cluster: Cluster) -> Iterator[Violation]:
    """A probe asks a port that is not among the container's ports."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            ports = container.ports()
            known = {
                *map(str, ports),
                *ports.values(),
                *(container.text(f"ports.{name}.name") for name in ports.values()),
            }
            for probe, words in _PROBES.items():
                port = probe_port(container, probe)
                if port is None or not ports or str(port.value) in known:
                    continue
                shown = ", ".join(str(number) for number in sorted(ports))
                path = container.text(f"{probe}.httpGet.path")
                yield broken(
                    each,
                    [port, *each.under(container.at("ports"))],
                    f"The {words} of container {container.name} of {each} asks port {port.value}, "
                    f"but the container exposes only {shown}.",
                    expected=f"a {words} on port {shown}",
                    probe=probe,
                    probe_words=words,
                    port=port.value,
                    ports=shown,
                    path=path,
                    container=container.name,
                    image=container.text("image"),
                )


def _makers(service: KubernetesObject, cluster: Cluster) -> list[KubernetesObject]:
    wanted = service.mapping("spec.selector")
    return [
        each
        for each in cluster.workloads
        if wanted
        and same_namespace(each.entity.namespace, service.entity.namespace)
        and wanted.items() <= pod_labels(each).items()
    ]


@check(
    "kubernetes.service_target_port_unknown",
    why="The service sends connections to a port on which nobody listens: they are refused.",
    remedy="Make targetPort the number or name of a port that the container listens on.",
    category=Category.CONFIGURATION_ERROR,
)
def service_target_port_unknown(cluster: Cluster) -> Iterator[Violation]:
    """A service's target port is no port of the pods that it selects."""
    for service in cluster.of_kind("service"):
        makers = _makers(service, cluster)
        ports = [c.ports() for each in makers for c in cluster.containers(each, initial=False)]
        known = {str(number) for found in ports for number in found} | {
            name for found in ports for name in found.values()
        }
        for key in service.keys("spec.ports") if makers and all(ports) else ():
            target = service.fact(f"spec.ports.{key}.targetPort") or service.fact(f"spec.ports.{key}.port")
            if target is not None and str(target.value) not in known:
                shown = ", ".join(str(number) for found in ports for number in found)
                yield broken(
                    service,
                    [
                        target,
                        *(f for each in makers for c in cluster.containers(each) for f in each.under(c.at("ports"))),
                    ],
                    f"Service {service.entity.name} sends to port {target.value}, but {makers[0]} exposes only {shown}.",
                    expected=f"targetPort {shown}",
                    port=target.value,
                    ports=shown,
                    other=makers[0].entity.name,
                )


@check(
    "kubernetes.ingress_port_unknown",
    why="The ingress controller finds no such port of the service and answers 503.",
    remedy="Use a port number or name that the service has.",
    category=Category.CONFIGURATION_ERROR,
)
def ingress_port_unknown(cluster: Cluster) -> Iterator[Violation]:
    """An ingress names a port that its service does not have."""
    for ingress in cluster.of_kind("ingress"):
        for fact in ingress.under("spec"):
            if not fact.attribute.endswith(("service.port.number", "service.port.name", "backend.servicePort")):
                continue
            base = fact.attribute.rpartition(".port.")[0] or fact.attribute.removesuffix(".servicePort")
            name = ingress.text(f"{base}.name") or ingress.text(f"{base}.serviceName")
            service = cluster.find("service", name, ingress.entity.namespace)
            keys = service.keys("spec.ports") if service is not None else []
            known = (
                {service.text(f"spec.ports.{key}.{part}") for key in keys for part in ("port", "name")}
                if service
                else set()
            )
            if service is not None and keys and str(fact.value) not in known:
                yield broken(
                    ingress,
                    [fact, *service.under("spec.ports")],
                    f"Ingress {ingress.entity.name} sends to port {fact.value} of Service {name}, which has no such port.",
                    expected=f"a port of Service {name}",
                    port=fact.value,
                    other=name,
                )


@check(
    "kubernetes.host_port_conflict",
    why="Two pods that want the same port of the node cannot run on the same node; with few nodes one stays Pending.",
    remedy="Use a service instead of hostPort, or different ports.",
    category=Category.CONFIGURATION_ERROR,
)
def host_port_conflict(cluster: Cluster) -> Iterator[Violation]:
    """Two workloads want the same port of the node."""
    wants: dict[str, list[tuple[KubernetesObject, Fact]]] = defaultdict(list)
    for each in cluster.workloads:
        for container in cluster.containers(each, initial=False):
            for key in container.ports().values():
                port = container.fact(f"ports.{key}.hostPort")
                if port is not None and port.value:
                    wants[f"{port.value}/{container.text(f'ports.{key}.protocol') or 'TCP'}"].append((each, port))
    for port_name, found in sorted(wants.items()):
        first, *others = found
        for each, port in others:
            if each.entity != first[0].entity:
                yield broken(
                    each,
                    [port, first[1]],
                    f"{each} and {first[0]} both want the host port {port_name}.",
                    expected="one user of a host port",
                    port=port_name,
                    other=first[0].entity.name,
                )

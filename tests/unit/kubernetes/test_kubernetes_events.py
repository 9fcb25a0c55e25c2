"""Events and what their messages may be taken for."""

from __future__ import annotations

from collections.abc import Callable

from faultmaven_core.analysis.model import Extraction

Read = Callable[[str], Extraction]


def event(reason: str, message: str) -> str:
    return f"""apiVersion: v1
kind: Event
metadata: {{name: web-0.1}}
involvedObject: {{kind: Pod, name: web-0, namespace: shop}}
reason: {reason}
message: '{message}'
"""


def signatures(read: Read, reason: str, message: str) -> set[str]:
    return {fact.attribute for fact in read(event(reason, message)).facts if fact.attribute.startswith("signature.")}


def test_probe_that_cannot_connect_is_not_the_application(read: Read) -> None:
    """The kubelet was refused, not the container's own client."""
    message = 'Readiness probe failed: Get "http://10.1.0.7:8080/": dial tcp 10.1.0.7:8080: connect: connection refused'
    assert signatures(read, "Unhealthy", message) == {"signature.container.readiness_failed"}


def test_registry_that_is_not_reached_is_no_dependency_of_the_application(read: Read) -> None:
    """The pull fails before the application runs."""
    message = 'Failed to pull image "r.acme.net/web:1": dial tcp: lookup r.acme.net: no such host'
    assert signatures(read, "Failed", message) == {"signature.image.registry_unreachable"}


def test_other_events_match_every_signature(read: Read) -> None:
    """The runtime's message names the command that is missing."""
    message = 'Error: failed to create containerd task: exec: "serv": executable file not found in $PATH: unknown'
    assert {"signature.container.start_failed", "signature.process.executable_not_found"} <= signatures(
        read, "Failed", message
    )

"""Images that cannot be pulled."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.analysis.checks.kubernetes.containers import failing
from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import TEMPLATES, Cluster
from faultmaven_core.analysis.model import Category, Violation

PULL = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ImageInspectError",
        "ErrImageNeverPull",
        "RegistryUnavailable",
        "InvalidImageName",
    }
)
"""Reasons for waiting that the kubelet gives (pkg/kubelet/images/types.go)."""

CAUSES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "not_found",
        re.compile(r"not found|manifest unknown|no such image|does not exist(?! or may require)", re.IGNORECASE),
    ),
    (
        "unreachable",
        re.compile(
            r"no such host|i/o timeout|connection refused|TLS handshake|x509|dial tcp|deadline exceeded", re.IGNORECASE
        ),
    ),
    ("rate_limited", re.compile(r"toomanyrequests|rate limit", re.IGNORECASE)),
    (
        "denied",
        re.compile(r"denied|unauthorized|authorization failed|403 Forbidden|no basic auth|may require", re.IGNORECASE),
    ),
)
"""What a registry's answer means, the clearest first; `denied` also hides repositories that do not exist."""

_PLACEHOLDER = re.compile(
    r"(?:^|/)(?:your|my|example|sample|some)[-_]?(?:company|org|organi[sz]ation|registry|repo|repository|user|username|team|image)?(?:\.(?:com|io))?/"
    r"|<[^>]+>|\$\{?[A-Z_]+\}?|(?:^|[.])example\.(?:com|org)/",
    re.IGNORECASE,
)


@check(
    "kubernetes.image_pull_failed",
    why="Without its image a container cannot start; the kubelet tries again with growing delays.",
    remedy="Correct the image's name or tag, or give the pod a pull secret for the registry.",
    category=Category.CONFIGURATION_ERROR,
)
def image_pull_failed(cluster: Cluster) -> Iterator[Violation]:
    """The image of a container cannot be pulled."""
    for status in failing(cluster):
        waiting = status.fact("state.waiting.reason")
        if waiting is None or waiting.value not in PULL:
            continue
        told = [status.fact("state.waiting.message"), *status.pod.all("event.Failed"), *status.pod.all("event.BackOff")]
        said = [fact for fact in told if fact is not None and "pull" in str(fact.value).lower()]
        why = next((cause for cause, words in CAUSES for fact in said if words.search(str(fact.value))), "")
        quoted = re.search(r'image \\?"([^"\\]+)', " ".join(str(fact.value) for fact in said))
        image = status.image or (quoted[1] if quoted else "")
        secrets = status.pod.keys("spec.imagePullSecrets")
        bound = {**status.bindings(), "image": image, "cause": why, "pull_secrets": ", ".join(secrets)}
        yield broken(
            status.pod,
            [waiting, *said[:2]],
            f"The image {image} of container {status.name} of {status.pod} cannot be pulled ({waiting.value}).",
            expected="an image that the node can pull",
            **bound,
        )


@check(
    "kubernetes.image_name_is_placeholder",
    why="A name from a template names no repository; its pull is denied or finds nothing.",
    remedy="Put the name of the real image there.",
    category=Category.CONFIGURATION_ERROR,
)
def image_name_is_placeholder(cluster: Cluster) -> Iterator[Violation]:
    """An image's name still looks like a template's placeholder."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            image = container.fact("image")
            if image is not None and _PLACEHOLDER.search(str(image.value)):
                yield broken(
                    each,
                    [image],
                    f"The image {image.value} of container {container.name} of {each} looks like a placeholder: "
                    "the repository does not exist or needs credentials.",
                    expected="the name of an image that exists",
                    certain=False,
                    container=container.name,
                    image=image.value,
                )


@check(
    "kubernetes.pull_secret_missing",
    why="The kubelet pulls without credentials when a pull secret is missing, and a private registry denies that.",
    remedy="Create the secret in the pod's namespace, or correct its name in imagePullSecrets.",
    category=Category.CONFIGURATION_ERROR,
)
def pull_secret_missing(cluster: Cluster) -> Iterator[Violation]:
    """A pull secret that a pod names does not exist."""
    for each in cluster.workloads:
        base = f"{TEMPLATES[each.entity.kind]}.imagePullSecrets"
        for name in each.keys(base):
            known = cluster.lists("secret", each.entity.namespace)
            if known and cluster.find("secret", name, each.entity.namespace) is None:
                yield broken(
                    each,
                    [each.fact(f"{base}.{name}.name")],
                    f"{each} pulls its images with Secret {name}, which does not exist in its namespace.",
                    expected=f"Secret {name}",
                    missing=name,
                    missing_kind="Secret",
                )

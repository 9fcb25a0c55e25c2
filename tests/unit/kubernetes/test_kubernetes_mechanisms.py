"""Whole small incidents: the mechanism that is named, and what its sentences hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import RcaRecord

Diagnose = Callable[..., RcaRecord]


@pytest.fixture
def diagnose(tools: Tools) -> Diagnose:
    """The record for texts and a question."""

    def record(question: str, *texts: str) -> RcaRecord:
        sources = {f"evidence-{index}.txt": text.encode() for index, text in enumerate(texts)}
        return analyse(sources, Request("case-1", question, "0"), tools)

    return record


def described(name: str, status: str, container: str, events: str = "<none>", conditions: str = "False") -> str:
    return f"""Name:             {name}
Namespace:        shop
Node:             {"<none>" if status == "Pending" and "FailedScheduling" in events else "node-a/10.0.0.4"}
Labels:           app=web
Status:           {status}
Containers:
  web:
    Image:          registry.acme.net/web:1.4
    Port:           8080/TCP
{container}    Environment:    <none>
Conditions:
  Type    Status
  Ready   {conditions}
QoS Class:        Burstable
Events:{events}
"""


def state(now: str, restarts: int, last: str = "") -> str:
    return f"    State:          {now}\n{last}    Ready:          False\n    Restart Count:  {restarts}\n"


def events(*rows: str) -> str:
    head = "\n  Type     Reason     Age                From               Message\n  ----     ------     ----               ----               -------\n"
    return head + "\n".join(f"  Warning  {row}" for row in rows)


WAITING = "Waiting\n      Reason:       {}"
LAST = "    Last State:     Terminated\n      Reason:       {}\n      Exit Code:    {}\n      Started:      Mon, 02 Mar 2026 10:00:00 +0000\n      Finished:     Mon, 02 Mar 2026 10:01:00 +0000\n"

INCIDENTS = {
    "oom": (
        described(
            "web-0",
            "Running",
            state(WAITING.format("CrashLoopBackOff"), 7, LAST.format("OOMKilled", 137)) + "    Limits:\n      memory:  128Mi\n",
        ),
        "kubernetes.out_of_memory",
        ("web-0", "OOMKilled", "137", "128Mi", "7 times"),
    ),
    "image tag": (
        described(
            "web-0",
            "Pending",
            state(WAITING.format("ImagePullBackOff"), 0),
            events(
                'Failed     21s (x3 over 61s)  kubelet            Failed to pull image "registry.acme.net/web:1.4": '
                'rpc error: failed to pull and unpack image "registry.acme.net/web:1.4": manifest unknown'
            ),
        ),
        "kubernetes.image_not_found",
        ("registry.acme.net/web:1.4", "ImagePullBackOff"),
    ),
    "registry": (
        described(
            "web-0",
            "Pending",
            state(WAITING.format("ErrImagePull"), 0),
            events(
                'Failed     21s (x3 over 61s)  kubelet            Failed to pull image "registry.acme.net/web:1.4": '
                "failed to do request: Head https://registry.acme.net/v2: dial tcp 10.9.9.9:443: i/o timeout"
            ),
        ),
        "kubernetes.registry_unreachable",
        ("registry.acme.net",),
    ),
    "scheduling": (
        described(
            "web-0",
            "Pending",
            "    Requests:\n      memory:  64Gi\n",
            events("FailedScheduling  9s  default-scheduler  0/3 nodes are available: 3 Insufficient memory."),
        ),
        "kubernetes.insufficient_resources",
        ("64Gi", "memory", "0/3 nodes are available", "Pending"),
    ),
    "taint": (
        described(
            "web-0",
            "Pending",
            "",
            events("FailedScheduling  9s  default-scheduler  0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: batch}."),
        ),
        "kubernetes.no_node_matches",
        ("dedicated: batch",),
    ),
    "liveness": (
        described(
            "web-0",
            "Running",
            state("Running\n      Started:      Mon, 02 Mar 2026 10:02:00 +0000", 9, LAST.format("Error", 137))
            + "    Liveness:       http-get http://:8080/healthz delay=1s timeout=1s period=5s #success=1 #failure=3\n",
            events(
                "Unhealthy  9s (x30 over 9m)   kubelet            Liveness probe failed: HTTP probe failed with statuscode: 404",
                "Killing    9s (x9 over 9m)    kubelet            Container web failed liveness probe, will be restarted",
            ),
        ),
        "kubernetes.liveness_probe_kills",
        ("404", "9 restarts"),
    ),
    "readiness path": (
        described(
            "web-0",
            "Running",
            state("Running\n      Started:      Mon, 02 Mar 2026 10:02:00 +0000", 0)
            + "    Readiness:      http-get http://:8080/ready delay=1s timeout=1s period=5s #success=1 #failure=3\n",
            events("Unhealthy  9s (x30 over 9m)   kubelet            Readiness probe failed: HTTP probe failed with statuscode: 404"),
        ),
        "kubernetes.readiness_probe_asks_wrong_path",
        ("404", "/ready", "8080"),
    ),
    "readiness time-out": (
        described(
            "web-0",
            "Running",
            state("Running\n      Started:      Mon, 02 Mar 2026 10:02:00 +0000", 0),
            events('Unhealthy  9s (x30 over 9m)   kubelet            Readiness probe failed: Get "http://10.1.0.7:8080/ready": context deadline exceeded'),
        ),
        "workload.readiness_probe_fails",
        ("context deadline exceeded",),
    ),
    "missing secret": (
        described(
            "web-0",
            "Pending",
            state(WAITING.format("CreateContainerConfigError"), 0),
            events('Failed     9s (x9 over 9m)    kubelet            Error: secret "web-secret" not found'),
        ),
        "kubernetes.configuration_object_missing",
        ("Secret", "web-secret", "shop"),
    ),
    "own error": (
        described("web-0", "Running", state(WAITING.format("CrashLoopBackOff"), 12, LAST.format("Error", 3))),
        "workload.application_crash",
        ("CrashLoopBackOff", "exit code 3", "12 times"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("incident", sorted(INCIDENTS))
def test_incident_of_one_pod_is_named(diagnose: Diagnose, incident: str) -> None:
    """Each look-alike has its own name: all these pods are simply not Ready."""
    text, mechanism, words = INCIDENTS[incident]
    cause = diagnose("Why is web-0 not ready?", text).root_cause
    assert cause is not None
    assert cause.mechanism_id == mechanism
    told = f"{cause.statement} {cause.mechanism} {' '.join(cause.chain)}"
    assert [word for word in words if word not in told] == []
    assert cause.confirm.command
    assert cause.refute.expect


def test_single_restart_of_the_past_names_no_cause(diagnose: Diagnose) -> None:
    """History never outranks the present state."""
    last = LAST.format("OOMKilled", 137)
    well = described(
        "web-0",
        "Running",
        f"    State:          Running\n      Started:      Mon, 02 Mar 2026 10:02:00 +0000\n{last}    Ready:          True\n    Restart Count:  1\n",
        conditions="True",
    )
    record = diagnose("Why did web-0 restart?", well)
    assert record.verdict in (Verdict.HEALTHY, Verdict.INSUFFICIENT_EVIDENCE)


def test_claim_without_class_explains_its_pod(diagnose: Diagnose) -> None:
    """The pod is Pending, the claim is the cause."""
    claim = """Name:          data
Namespace:     shop
StorageClass:  fast-ssd
Status:        Pending
Volume:
VolumeMode:    Filesystem
Used By:       web-0
Events:
  Type     Reason              Age   From                         Message
  ----     ------              ----  ----                         -------
  Warning  ProvisioningFailed  9s    persistentvolume-controller  storageclass.storage.k8s.io "fast-ssd" not found
"""
    pod = described(
        "web-0",
        "Pending",
        "",
        events(
            "FailedScheduling  9s  default-scheduler  0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
        ),
    ).replace(
        "QoS Class:",
        "Volumes:\n  data:\n    Type:       PersistentVolumeClaim (a reference)\n    ClaimName:  data\nQoS Class:",
    )
    cause = diagnose("Why is web-0 Pending?", pod, claim).root_cause
    assert cause is not None
    assert (cause.entity.kind, cause.entity.name) == ("persistentvolumeclaim", "data")
    assert "fast-ssd" in cause.statement


def test_lost_node_explains_its_pods(diagnose: Diagnose) -> None:
    """The pods did not fail, their node did."""
    table = """NAMESPACE   NAME    READY   STATUS    RESTARTS   AGE   IP         NODE     NOMINATED NODE   READINESS GATES
shop        web-0   0/1     Unknown   0          2d    10.1.0.7   node-a   <none>           <none>
shop        web-1   1/1     Running   0          2d    10.1.0.8   node-b   <none>           <none>
"""
    nodes = "NAME     STATUS     ROLES    AGE   VERSION\nnode-a   NotReady   <none>   9d    v1.31.0\nnode-b   Ready      <none>   9d    v1.31.0\n"
    cause = diagnose("Why is web-0 unknown?", table, nodes).root_cause
    assert cause is not None
    assert cause.mechanism_id == "kubernetes.node_not_ready"
    assert "node-a" in cause.statement
    assert "web-0" in cause.statement


FIXTURES = Path(__file__).parent.parent / "checks" / "fixtures"


@pytest.mark.parametrize(
    ("check", "mechanism"),
    [
        ("account_lacks_permission", "kubernetes.access_forbidden"),
        ("autoscaler_without_requests", "kubernetes.autoscaler_cannot_scale"),
        ("command_misspelt", "kubernetes.command_not_found"),
        ("extended_resource_not_offered", "kubernetes.insufficient_resources"),
        ("heap_above_limit", "kubernetes.out_of_memory"),
        ("image_name_is_placeholder", "kubernetes.image_cannot_be_pulled"),
        ("ingress_class_unknown", "kubernetes.ingress_route_broken"),
        ("job_failed", "workload.job_failed"),
        ("mounted_key_missing", "kubernetes.configuration_object_missing"),
        ("node_under_pressure", "kubernetes.node_pressure"),
        ("policy_blocks_caller", "kubernetes.network_policy_blocks"),
        ("probe_port_not_exposed", "kubernetes.probe_asks_wrong_port"),
        ("quota_too_small", "kubernetes.quota_exceeded"),
        ("readiness_probe_fails", "workload.readiness_probe_fails"),
        ("replicas_exclude_each_other", "kubernetes.no_node_matches"),
        ("replicas_missing", "workload.rollout_stuck"),
        ("script_always_fails", "kubernetes.script_ends_with_error"),
        ("service_selects_no_pod", "kubernetes.service_without_endpoints"),
        ("shell_script_unbalanced", "kubernetes.shell_syntax"),
        ("storage_class_missing", "kubernetes.storage_class_missing"),
        ("waits_for_unknown_service", "kubernetes.waits_for_missing_service"),
    ],
)
def test_broken_invariant_becomes_a_cause_with_every_slot_filled(
    diagnose: Diagnose, check: str, mechanism: str
) -> None:
    """The best text of the mechanism is used, so the violation binds the slots that it needs."""
    text = (FIXTURES / f"kubernetes.{check}" / "bad.yaml").read_text(encoding="utf-8")
    cause = diagnose("What is wrong in namespace shop?", text).root_cause
    assert cause is not None
    assert cause.mechanism_id == mechanism
    assert cause.statement.endswith((".", ")"))
    assert "{" not in cause.statement


@pytest.mark.parametrize("folder", sorted(path.name for path in FIXTURES.iterdir()))
def test_kept_invariants_name_no_probable_cause(diagnose: Diagnose, folder: str) -> None:
    """What is in order must not be blamed."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((FIXTURES / folder).glob("good.*"))]
    assert diagnose("What is wrong in namespace shop?", *texts).verdict not in (Verdict.PROBABLE, Verdict.CONFIRMED)

"""What is not well now, and what only was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_health import healthy, unwell
from faultmaven_core.analysis.model import Entity

Graph = Callable[..., EvidenceGraph]


def pod(name: str, status: str, metadata: str = "") -> str:
    return f"""apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: shop
{metadata}status:
{status}
"""


def container(state: str, rest: str = "") -> str:
    return f"  phase: Running\n  containerStatuses:\n  - name: web\n    state: {state}\n{rest}"


READY = '  conditions:\n  - type: Ready\n    status: "True"\n'
NOT_READY = '  conditions:\n  - type: Ready\n    status: "False"\n'
RUNNING = "{running: {startedAt: '2026-03-02T10:00:00Z'}}"


def shown(graph: EvidenceGraph) -> set[tuple[str, str]]:
    return {(fact.entity.name, fact.attribute) for fact in unwell(graph)}


def test_restart_of_the_past_is_history(graph: Graph) -> None:
    """A pod that is Ready now is well, whatever happened to it."""
    built = graph(pod("web-0", READY + container(RUNNING, "    restartCount: 1\n    ready: true\n")))
    assert unwell(built) == []
    assert healthy(built) == [Entity("pod", "web-0", "shop")]


def test_pod_that_runs_between_two_crashes_is_not_well(graph: Graph) -> None:
    """A snapshot may catch a crash loop in a good moment: its last run was short and it restarted often."""
    last = "{terminated: {startedAt: '2026-03-02T09:58:00Z', finishedAt: '2026-03-02T09:59:30Z', exitCode: 1}}"
    state = container(RUNNING, f"    restartCount: 9\n    ready: true\n    lastState: {last}\n")
    assert shown(graph(pod("web-0", READY + state))) == {("web-0", "status.containerStatuses.web.restartCount")}


def test_loop_shows_where_the_conditions_are_cut_off(graph: Graph) -> None:
    """People paste parts of what kubectl says; a container that was killed twelve times is not well for that."""
    last = "{terminated: {startedAt: '2026-03-02T09:58:00Z', finishedAt: '2026-03-02T09:59:30Z', exitCode: 137}}"
    state = container(RUNNING, f"    restartCount: 12\n    ready: true\n    lastState: {last}\n")
    assert shown(graph(pod("web-0", state))) == {("web-0", "status.containerStatuses.web.restartCount")}


def test_container_that_outgrows_its_memory_every_few_hours_is_not_well(graph: Graph) -> None:
    """A slow leak: ready between two kills, and killed again."""
    last = "{terminated: {startedAt: '2026-03-02T08:00:00Z', finishedAt: '2026-03-02T09:59:30Z', exitCode: 137, reason: OOMKilled}}"
    state = container(RUNNING, f"    restartCount: 14\n    ready: true\n    lastState: {last}\n")
    assert shown(graph(pod("web-0", READY + state))) == {("web-0", "status.containerStatuses.web.restartCount")}
    once = state.replace("restartCount: 14", "restartCount: 1")
    assert unwell(graph(pod("web-0", READY + once))) == []


def test_loop_that_has_settled_is_over(graph: Graph) -> None:
    """An event an hour after the last start shows that the container has been running since."""
    last = "{terminated: {startedAt: '2026-03-02T09:58:00Z', finishedAt: '2026-03-02T09:59:30Z', exitCode: 1}}"
    state = container(RUNNING, f"    restartCount: 9\n    ready: true\n    lastState: {last}\n")
    later = """apiVersion: v1
kind: Event
metadata: {name: web-0.1}
involvedObject: {kind: Pod, name: web-0, namespace: shop}
reason: Pulled
message: image is present
lastTimestamp: "2026-03-02T11:00:00Z"
"""
    assert unwell(graph(pod("web-0", READY + state), later)) == []


@pytest.mark.parametrize(
    ("status", "attribute"),
    [
        (NOT_READY + container("{waiting: {reason: CrashLoopBackOff}}"), "status.containerStatuses.web.state.waiting.reason"),
        (NOT_READY + container("{terminated: {exitCode: 3}}"), "status.containerStatuses.web.state.terminated.exitCode"),
        (NOT_READY + container(RUNNING, "    restartCount: 6\n    ready: false\n"), "status.containerStatuses.web.restartCount"),
        ("  phase: Pending\n", "status.phase"),
        ("  phase: Unknown\n", "status.phase"),
        ("  phase: Failed\n  reason: Evicted\n", "status.reason"),
    ],
)  # fmt: skip
def test_signs_of_a_pod_that_is_not_well(graph: Graph, status: str, attribute: str) -> None:
    """Each is what `kubectl get pod` would show in its STATUS or READY column."""
    assert ("web-0", attribute) in shown(graph(pod("web-0", status)))


def test_start_is_no_failure_until_something_fails(graph: Graph) -> None:
    """ContainerCreating is normal; with FailedMount it is not."""
    starting = pod("web-0", NOT_READY + container("{waiting: {reason: ContainerCreating}}"))
    event = """apiVersion: v1
kind: Event
metadata: {name: web-0.1}
involvedObject: {kind: Pod, name: web-0, namespace: shop}
reason: FailedMount
message: timed out waiting for the condition
"""
    assert unwell(graph(starting)) == []
    assert ("web-0", "status.conditions.Ready.status") in shown(graph(starting, event))


def test_finished_work_is_well(graph: Graph) -> None:
    """A completed pod is not ready, and need not be."""
    done = pod("import-x", NOT_READY + "  phase: Succeeded\n")
    exited = pod(
        "import-y", NOT_READY + "  containerStatuses:\n  - name: web\n    state: {terminated: {reason: Completed}}\n"
    )
    assert unwell(graph(done, exited)) == []


DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 1}
status: {readyReplicas: 1}
"""


def test_pod_of_a_superseded_rollout_is_no_failure(graph: Graph) -> None:
    """The old replica set's last pod crashes on while the new one serves: history."""
    old = pod("web-6c4ab5d9c-old11", NOT_READY + container("{waiting: {reason: CrashLoopBackOff}}"))
    new = pod("web-7f9dd8b6c4-x7gr9", READY + container(RUNNING))
    assert unwell(graph(DEPLOYMENT, old, new)) == []
    assert ("web-6c4ab5d9c-old11", "status.conditions.Ready.status") in shown(graph(DEPLOYMENT, old))


def test_pod_that_is_being_deleted_is_no_failure(graph: Graph) -> None:
    """Unless its node is lost: then it cannot leave."""
    leaving = '  deletionTimestamp: "2026-03-02T10:00:00Z"\n'
    assert unwell(graph(pod("web-0", NOT_READY + "  phase: Running\n", leaving))) == []
    assert shown(graph(pod("web-0", "  phase: Unknown\n", leaving))) == {("web-0", "status.phase")}


@pytest.mark.parametrize(
    ("kind", "body", "attribute"),
    [
        ("Deployment", "spec: {replicas: 3}\nstatus: {readyReplicas: 1}", "status.readyReplicas"),
        ("Deployment", "spec: {replicas: 3}\nstatus: {unavailableReplicas: 2}", "status.unavailableReplicas"),
        ("DaemonSet", "status: {desiredNumberScheduled: 3, numberAvailable: 2}", "status.numberAvailable"),
        ("Deployment", 'status: {conditions: [{type: Available, status: "False"}]}', "status.conditions.Available.status"),
        ("ReplicaSet", 'status: {conditions: [{type: ReplicaFailure, status: "True"}]}', "status.conditions.ReplicaFailure.status"),
        ("Job", "status: {failed: 2}", "status.failed"),
        ("Node", 'status: {conditions: [{type: DiskPressure, status: "True"}]}', "status.conditions.DiskPressure.status"),
        ("PersistentVolumeClaim", "status: {phase: Pending}", "status.phase"),
        ("PersistentVolume", "status: {phase: Failed}", "status.phase"),
        ("HorizontalPodAutoscaler", 'status: {conditions: [{type: AbleToScale, status: "False"}]}', "status.conditions.AbleToScale.status"),
        ("Service", 'spec: {selector: {app: web}}\nstatus: {endpoints: ""}', "status.endpoints"),
        ("Namespace", "status: {phase: Terminating}", "status.phase"),
    ],
)  # fmt: skip
def test_signs_of_other_kinds(graph: Graph, kind: str, body: str, attribute: str) -> None:
    """Each kind says in its own way that it is not well."""
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: it}}\n{body}\n"
    assert shown(graph(text)) == {("it", attribute)}


def test_job_that_failed_once_and_completed_is_well(graph: Graph) -> None:
    """Retries are there to be used."""
    text = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: it}\nstatus: {failed: 1, succeeded: 1, conditions: [{type: Complete, status: "True"}]}\n'
    assert unwell(graph(text)) == []

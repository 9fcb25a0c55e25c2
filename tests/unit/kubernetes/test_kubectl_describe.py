"""`kubectl describe` in the shape of the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faultmaven_core.analysis.model import Entity, Extraction, Scalar

Read = Callable[[str], Extraction]


def values(extraction: Extraction, kind: str) -> dict[str, Scalar]:
    return {fact.attribute: fact.value for fact in extraction.facts if fact.entity.kind == kind}


POD = """
Name:                      web-5d9c7b6f4-x2x4z
Namespace:                 shop
Priority:                  0
Service Account:           runner
Node:                      node-a/10.0.0.4
Labels:                    app=web
                           pod-template-hash=5d9c7b6f4
Annotations:               team: checkout
Status:                    Terminating (lasts 3m)
Termination Grace Period:  30s
IP:                        10.1.0.7
Controlled By:             ReplicaSet/web-5d9c7b6f4
Init Containers:
  wait:
    Image:      busybox:1.36
    Command:
      sh
      -c
    Args:
      until nc -z db 5432; do
        echo "status: waiting"
      done
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
    Ready:          True
    Restart Count:  0
    Mounts:         <none>
Containers:
  web:
    Image:          registry.acme.net/web:1.4
    Ports:          8080/TCP (http), 9090/TCP
    Host Ports:     18080/TCP, 0/TCP
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Mon, 02 Mar 2026 10:00:00 +0000
      Finished:     Mon, 02 Mar 2026 10:01:00 +0000
    Ready:          False
    Restart Count:  7
    Limits:
      memory:  128Mi
    Requests:
      cpu:     100m
    Liveness:   http-get http://:8080/healthz delay=10s timeout=1s period=5s #success=1 #failure=3
    Readiness:  tcp-socket :9090 delay=0s timeout=1s period=10s #success=1 #failure=3
    Startup:    exec [cat /tmp/started] delay=0s timeout=1s period=10s #success=1 #failure=30
    Environment Variables from:
      web-settings  ConfigMap  Optional: false
    Environment:
      MODE:      fast
      PASSWORD:  <set to the key 'password' in secret 'web-secret'>  Optional: true
      LEVEL:     <set to the key 'level' of config map 'web-settings'>  Optional: false
    Mounts:
      /data from data (rw)
Conditions:
  Type              Status
  Initialized       True
  Ready             False
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  web-data
    ReadOnly:   false
QoS Class:       Burstable
Node-Selectors:  disk=ssd
Tolerations:     dedicated=batch:NoSchedule
Events:
  Type     Reason   Age                  From     Message
  ----     ------   ----                 ----     -------
  Warning  BackOff  2m (x25 over 7m30s)  kubelet  Back-off restarting failed container web in pod web-5d9c7b6f4-x2x4z
"""


def test_pod_has_its_containers_as_the_api_has_them(read: Read) -> None:
    """Checks see one shape, whatever the notation."""
    found = values(read(POD), "pod")
    base = "spec.containers.web"
    assert found[f"{base}.ports.http.containerPort"] == 8080
    assert found[f"{base}.ports.http.hostPort"] == 18080
    assert found[f"{base}.ports.1.containerPort"] == 9090
    assert f"{base}.ports.1.hostPort" not in found
    assert found[f"{base}.resources.limits.memory"] == "128Mi"
    assert found[f"{base}.livenessProbe.httpGet.port"] == 8080
    assert found[f"{base}.livenessProbe.httpGet.path"] == "/healthz"
    assert found[f"{base}.livenessProbe.failureThreshold"] == 3
    assert found[f"{base}.readinessProbe.tcpSocket.port"] == 9090
    assert found[f"{base}.startupProbe.exec.command"] == "cat /tmp/started"
    assert found[f"{base}.env.MODE.value"] == "fast"
    assert found[f"{base}.env.PASSWORD.valueFrom.secretKeyRef.key"] == "password"
    assert found[f"{base}.env.PASSWORD.valueFrom.secretKeyRef.optional"] is True
    assert found[f"{base}.env.LEVEL.valueFrom.configMapKeyRef.name"] == "web-settings"
    assert found["spec.nodeSelector.disk"] == "ssd"


def test_pod_has_its_state_and_its_past(read: Read) -> None:
    """The last state is where an out-of-memory kill stands while the container waits."""
    found = values(read(POD), "pod")
    base = "status.containerStatuses.web"
    assert found[f"{base}.state.waiting.reason"] == "CrashLoopBackOff"
    assert found[f"{base}.lastState.terminated.exitCode"] == 137
    assert found[f"{base}.restartCount"] == 7
    assert found["status.phase"] == "Terminating"
    assert found["metadata.deletionTimestamp"] == "Terminating (lasts 3m)"
    assert found["status.conditions.Ready.status"] == "False"


def test_script_lines_are_not_taken_for_fields(read: Read) -> None:
    """A script may well hold `status: waiting`."""
    found = values(read(POD), "pod")
    base = "spec.initContainers.wait"
    assert found[f"{base}.args.1"] == 'echo "status: waiting"'
    assert found[f"{base}.args.2"] == "done"
    assert found["status.initContainerStatuses.wait.state.terminated.reason"] == "Completed"


def test_relations_of_a_described_pod(read: Read) -> None:
    """Owner, node, claim, configuration and account are one step away from the pod."""
    related = {(r.kind, r.a.kind, r.b.kind, r.b.name) for r in read(POD).relations}
    assert ("owns", "replicaset", "pod", "web-5d9c7b6f4-x2x4z") in related
    assert ("runs_on", "pod", "node", "node-a") in related
    assert ("mounts", "pod", "persistentvolumeclaim", "web-data") in related
    assert ("references", "pod", "configmap", "web-settings") in related
    assert ("references", "pod", "secret", "web-secret") in related
    assert ("references", "pod", "serviceaccount", "runner") in related


def test_events_keep_count_and_line(read: Read) -> None:
    """`2m (x25 over 7m30s)` was seen 25 times; the citation is the event's own line."""
    extraction = read(POD)
    event = next(fact for fact in extraction.facts if fact.attribute == "event.BackOff")
    assert event.count == 25
    assert dict(event.params) == {"age": "2m (x25 over 7m30s)", "reason": "BackOff", "type": "Warning"}
    line = POD.lstrip("\n").splitlines()[event.spans[0].first_line - 1]
    assert "Back-off restarting" in line
    assert any(fact.attribute == "signature.container.back_off" for fact in extraction.facts)


DEPLOYMENT = """
Name:                   web
Namespace:              shop
Labels:                 app=web
Selector:               app=web
Replicas:               3 desired | 2 updated | 3 total | 1 available | 2 unavailable
StrategyType:           RollingUpdate
Pod Template:
  Labels:  app=web
  Containers:
   web:
    Image:        registry.acme.net/web:1.5
    Port:         8080/TCP
  Volumes:
   settings:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      web-settings
    Optional:  false
Conditions:
  Type           Status  Reason
  ----           ------  ------
  Progressing    False   ProgressDeadlineExceeded
Events:          <none>
"""
JOB = """
Name:           import
Namespace:      shop
Parallelism:    1
Completions:    1
Backoff Limit:  4
Active Deadline Seconds:  600s
Start Time:     Mon, 02 Mar 2026 10:00:00 +0000
Pods Statuses:  0 Active (0 Ready) / 0 Succeeded / 5 Failed
Pod Template:
  Containers:
   import:
    Image:      bash
Events:            <none>
"""
CRONJOB = """
Name:                          nightly
Namespace:                     shop
Schedule:                      0 3 * * *
Concurrency Policy:            Forbid
Suspend:                       True
Pod Template:
  Containers:
   import:
    Image:           bash
"""
DAEMONSET = """
Name:           agent
Namespace:      shop
Selector:       app=agent
Desired Number of Nodes Scheduled: 3
Number of Nodes Scheduled with Available Pods: 2
Pod Template:
  Labels:  app=agent
"""
SERVICE = """
Name:              web
Namespace:         shop
Selector:          app=web
Type:              ClusterIP
IP:                10.96.1.1
Port:              http  80/TCP
TargetPort:        8080/TCP
Endpoints:         <none>
Port:              metrics  9090/TCP
TargetPort:        9090/TCP
Endpoints:         <none>
Session Affinity:  None
"""
INGRESS = """
Name:             shop
Namespace:        shop
Address:
Default backend:  <default>
Rules:
  Host           Path  Backends
  ----           ----  --------
  shop.acme.net
                 /api   api:8080 (<error: endpoints "api" not found>)
                 /      web:http (10.1.0.7:8080)
Events:          <none>
"""
NODE = """
Name:               node-a
Roles:              <none>
Labels:             disk=ssd
Taints:             dedicated=batch:NoSchedule
                    node.kubernetes.io/unreachable:NoExecute
Unschedulable:      true
Conditions:
  Type             Status    LastHeartbeatTime                 LastTransitionTime                Reason                    Message
  ----             ------    -----------------                 ------------------                ------                    -------
  MemoryPressure   False     Mon, 02 Mar 2026 10:00:00 +0000   Mon, 02 Mar 2026 09:00:00 +0000   KubeletHasSufficientMemory   kubelet has sufficient memory available
  Ready            Unknown   Mon, 02 Mar 2026 10:00:00 +0000   Mon, 02 Mar 2026 10:01:00 +0000   NodeStatusUnknown         Kubelet stopped posting node status.
Capacity:
  cpu:     4
  memory:  16384Ki
Allocatable:
  cpu:             3920m
  nvidia.com/gpu:  1
Events:              <none>
"""
CLAIM = """
Name:          data
Namespace:     shop
StorageClass:  fast-ssd
Status:        Pending
Volume:
Access Modes:
VolumeMode:    Filesystem
Used By:       db-0
Events:
  Type     Reason              Age   From                         Message
  ----     ------              ----  ----                         -------
  Warning  ProvisioningFailed  9s    persistentvolume-controller  storageclass.storage.k8s.io "fast-ssd" not found
"""
SCALER = """
Name:                                                  web
Namespace:                                             shop
Reference:                                             Deployment/web
Metrics:                                               ( current / target )
  resource cpu on pods  (as a percentage of request):  <unknown> / 50%
Min replicas:                                          1
Max replicas:                                          5
Conditions:
  Type           Status  Reason                   Message
  ----           ------  ------                   -------
  ScalingActive  False   FailedGetResourceMetric  missing request for cpu
"""
NAMESPACE = """
Name:         shop
Labels:       kubernetes.io/metadata.name=shop
Annotations:  <none>
Status:       Terminating

No resource quota.
"""


@pytest.mark.parametrize(
    ("text", "kind", "attribute", "value"),
    [
        (DEPLOYMENT, "deployment", "spec.replicas", 3),
        (DEPLOYMENT, "deployment", "status.unavailableReplicas", 2),
        (DEPLOYMENT, "deployment", "spec.selector.matchLabels.app", "web"),
        (DEPLOYMENT, "deployment", "spec.template.spec.containers.web.ports.0.containerPort", 8080),
        (DEPLOYMENT, "deployment", "spec.template.spec.volumes.settings.configMap.name", "web-settings"),
        (DEPLOYMENT, "deployment", "status.conditions.Progressing.reason", "ProgressDeadlineExceeded"),
        (JOB, "job", "status.failed", 5),
        (JOB, "job", "spec.backoffLimit", 4),
        (JOB, "job", "spec.activeDeadlineSeconds", 600),
        (CRONJOB, "cronjob", "spec.suspend", True),
        (CRONJOB, "cronjob", "spec.jobTemplate.spec.template.spec.containers.import.image", "bash"),
        (DAEMONSET, "daemonset", "status.desiredNumberScheduled", 3),
        (SERVICE, "service", "spec.selector.app", "web"),
        (SERVICE, "service", "spec.ports.http.targetPort", 8080),
        (SERVICE, "service", "spec.ports.metrics.port", 9090),
        (SERVICE, "service", "status.endpoints", ""),
        (INGRESS, "ingress", "spec.rules.0.http.paths.0.backend.service.name", "api"),
        (INGRESS, "ingress", "spec.rules.0.http.paths.1.backend.service.port.name", "http"),
        (NODE, "node", "status.conditions.Ready.status", "Unknown"),
        (NODE, "node", "status.conditions.Ready.message", "Kubelet stopped posting node status."),
        (NODE, "node", "spec.taints.0.key", "dedicated"),
        (NODE, "node", "spec.taints.1.effect", "NoExecute"),
        (NODE, "node", "spec.unschedulable", True),
        (NODE, "node", "status.allocatable.nvidia.com/gpu", 1),
        (CLAIM, "persistentvolumeclaim", "spec.storageClassName", "fast-ssd"),
        (CLAIM, "persistentvolumeclaim", "status.phase", "Pending"),
        (SCALER, "horizontalpodautoscaler", "spec.scaleTargetRef.name", "web"),
        (SCALER, "horizontalpodautoscaler", "status.conditions.ScalingActive.status", "False"),
        (NAMESPACE, "namespace", "status.phase", "Terminating"),
    ],
)
def test_every_kind_is_told_apart_and_read(
    read: Read, text: str, kind: str, attribute: str, value: str | int | bool
) -> None:
    """The fields that only one kind's description has tell which kind it is."""
    assert values(read(text), kind)[attribute] == value


def test_several_objects_in_one_file(read: Read) -> None:
    """`kubectl describe pods` prints one object after the other."""
    extraction = read(DEPLOYMENT + "\n\n" + POD + "\n\n" + CLAIM)
    assert {fact.entity for fact in extraction.facts if fact.attribute == "metadata.name"} == {
        Entity("deployment", "web", "shop"),
        Entity("pod", "web-5d9c7b6f4-x2x4z", "shop"),
        Entity("persistentvolumeclaim", "data", "shop"),
    }


def test_unknown_kind_is_said(read: Read) -> None:
    """What cannot be read is named, not left out silently."""
    extraction = read("Name:  thing\nNamespace:  shop\nColour:  red\nShape:  round\nWeight:  12\n")
    assert any("'thing'" in problem for problem in extraction.problems)


def test_event_about_the_claim_carries_the_class(read: Read) -> None:
    """The signature of the message gives mechanisms the name of the class."""
    facts = [fact for fact in read(CLAIM).facts if fact.attribute == "signature.storage.class_not_found"]
    assert [dict(fact.params)["storage_class"] for fact in facts] == ["fast-ssd"]


@pytest.mark.parametrize(
    "text",
    [
        "Name:  web\nNamespace:  shop\nStrategyType:  Recreate\nSelector:  <none>\nEvents:  <none>\n",
        "Name:  import\nNamespace:  shop\nParallelism:  1\nPods Statuses:  none\nActive Deadline Seconds:  <unset>\n",
        "Name:  nightly\nNamespace:  shop\nSchedule:  0 3 * * *\nConcurrency Policy:  Allow\n",
        "Name:  web\nNamespace:  shop\nType:  ExternalName\nSession Affinity:  None\nSelector:  <none>\n",
        "Name:  shop\nNamespace:  shop\nAddress:  <none>\nRules:\n  Host  Path  Backends\n",
        "Name:  node-a\nRoles:  <none>\nTaints:  <none>\nCapacity:\n  cpu:  4\nAllocatable:\n  cpu:  4\n",
        "Name:  data\nNamespace:  shop\nStorageClass:  <none>\nVolumeMode:  Filesystem\n",
        "Name:  web\nNamespace:  shop\nReference:  nobody\nMin replicas:  x\n",
        "Name:  thing\nNamespace:  shop\nKind:  Widget\nSpec:\n  Colour:  red\n",
    ],
)
def test_descriptions_with_little_in_them(read: Read, text: str) -> None:
    """What is not set is left out; the object itself is there."""
    extraction = read(text)
    names = [fact for fact in extraction.facts if fact.attribute == "metadata.name"]
    assert len(names) == 1
    assert "<none>" not in {fact.value for fact in extraction.facts}

"""Tables of `kubectl get` and `kubectl top`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faultmaven_core.analysis.extract.kubectl_table import Header
from faultmaven_core.analysis.model import Entity, Extraction, Scalar

Read = Callable[[str], Extraction]


def values(extraction: Extraction, entity: Entity) -> dict[str, Scalar]:
    return {fact.attribute: fact.value for fact in extraction.facts if fact.entity == entity}


PODS = """
NAMESPACE   NAME                    READY   STATUS                  RESTARTS        AGE   IP           NODE     NOMINATED NODE   READINESS GATES   LABELS
shop        web-5d9c7b6f4-x2x4z     2/2     Running                 12 (143m ago)   6d    10.1.0.7     node-a   <none>           <none>            app=web,pod-template-hash=5d9c7b6f4
shop        api-7f9dd8b6c4-k2m4p    0/1     CrashLoopBackOff        62 (2m6s ago)   2d    10.1.0.8     node-a   <none>           <none>            app=api
shop        init-0                  0/1     Init:CrashLoopBackOff   3               2d    10.1.0.9     node-a   <none>           <none>            <none>
shop        slow-0                  0/1     Init:0/1                0               9s    <none>       node-a   <none>           <none>            <none>
shop        import-b4wz7            0/1     Completed               0               2d    10.1.0.10    node-a   <none>           <none>            job-name=import
shop        gone-0                  0/1     Evicted                 0               2d    <none>       node-b   <none>           <none>            <none>
shop        old-0                   1/1     Terminating             0               2d    10.1.0.11    node-a   <none>           <none>            <none>
shop        wait-0                  0/1     Pending                 0               2d    <none>       <none>   <none>           <none>            <none>
"""


def test_pod_rows_say_ready_restarts_node_and_labels(read: Read) -> None:
    """`12 (143m ago)` is one cell although a blank stands in it."""
    found = values(read(PODS), Entity("pod", "web-5d9c7b6f4-x2x4z", "shop"))
    assert found["status.phase"] == "Running"
    assert found["status.conditions.Ready.status"] == "True"
    assert found["status.restarts"] == 12
    assert found["spec.nodeName"] == "node-a"
    assert found["metadata.labels.pod-template-hash"] == "5d9c7b6f4"
    assert found["metadata.age"] == "6d"


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("api-7f9dd8b6c4-k2m4p", "status.containerStatuses.*.state.waiting.reason", "CrashLoopBackOff"),
        ("init-0", "status.initContainerStatuses.*.state.waiting.reason", "CrashLoopBackOff"),
        ("import-b4wz7", "status.containerStatuses.*.state.terminated.reason", "Completed"),
        ("gone-0", "status.reason", "Evicted"),
        ("old-0", "status.deleting", True),
        ("wait-0", "status.phase", "Pending"),
    ],
)
def test_status_column_is_a_phase_or_a_reason(read: Read, name: str, attribute: str, value: str | bool) -> None:
    """The column STATUS prints the most telling of several fields in one column."""
    assert values(read(PODS), Entity("pod", name, "shop"))[attribute] == value


def test_progress_of_init_containers_is_no_reason(read: Read) -> None:
    """`Init:0/1` counts, it does not complain."""
    found = values(read(PODS), Entity("pod", "slow-0", "shop"))
    assert not [attribute for attribute in found if "waiting" in attribute]


ALL = """
NAME                       READY   STATUS    RESTARTS   AGE
pod/web-5d9c7b6f4-x2x4z    1/1     Running   0          6d

NAME          TYPE        CLUSTER-IP    EXTERNAL-IP   PORT(S)        AGE   SELECTOR
service/web   NodePort    10.96.1.1     <none>        80:30080/TCP   6d    app=web

NAME                  READY   UP-TO-DATE   AVAILABLE   AGE   CONTAINERS   IMAGES      SELECTOR
deployment.apps/web   1/3     1            1           6d    web,log      web:1,log   app=web

NAME                             DESIRED   CURRENT   READY   AGE
replicaset.apps/web-5d9c7b6f4    3         3         1       6d
"""


def test_blocks_of_get_all_have_their_kind_in_the_name(read: Read) -> None:
    """`kubectl get all` prints a table per kind, with prefixed names."""
    extraction = read(ALL)
    deployment = values(extraction, Entity("deployment", "web"))
    assert deployment["spec.replicas"] == 3
    assert deployment["status.readyReplicas"] == 1
    assert deployment["spec.template.spec.containers.log.image"] == "log"
    assert deployment["spec.selector.matchLabels.app"] == "web"
    service = values(extraction, Entity("service", "web"))
    assert service["spec.selector.app"] == "web"
    assert service["spec.ports.0.port"] == 80
    assert values(extraction, Entity("replicaset", "web-5d9c7b6f4"))["status.readyReplicas"] == 1


@pytest.mark.parametrize(
    ("table", "entity", "attribute", "value"),
    [
        ("NAME     STATUS                        ROLES    AGE   VERSION\nnode-a   NotReady,SchedulingDisabled   <none>   9d    v1.31.0\n",
         Entity("node", "node-a"), "status.conditions.Ready.status", "False"),
        ("NAME     STATUS                        ROLES    AGE   VERSION\nnode-a   NotReady,SchedulingDisabled   <none>   9d    v1.31.0\n",
         Entity("node", "node-a"), "spec.unschedulable", True),
        ("NAME     STATUS   COMPLETIONS   DURATION   AGE\nimport   Failed   0/5           23h        23h\n",
         Entity("job", "import"), "status.conditions.Failed.status", "True"),
        ("NAME      SCHEDULE    TIMEZONE   SUSPEND   ACTIVE   LAST SCHEDULE   AGE\nnightly   0 3 * * *   <none>     True      0        9h              9d\n",
         Entity("cronjob", "nightly"), "spec.suspend", True),
        ("NAME   STATUS    VOLUME   CAPACITY   ACCESS MODES   STORAGECLASS   AGE\ndata   Pending                                      fast-ssd       9m\n",
         Entity("persistentvolumeclaim", "data"), "spec.storageClassName", "fast-ssd"),
        ("NAME   REFERENCE        TARGETS         MINPODS   MAXPODS   REPLICAS   AGE\nweb    Deployment/web   <unknown>/50%   1         5         1          9m\n",
         Entity("horizontalpodautoscaler", "web"), "status.targets", "<unknown>/50%"),
        ("NAME   ENDPOINTS   AGE\nweb    <none>      9m\n", Entity("endpoints", "web"), "status.endpoints", ""),
        ("NAME    STATUS        AGE\nshop    Terminating   9m\n", Entity("namespace", "shop"), "status.phase", "Terminating"),
        ("NAME       PROVISIONER       RECLAIMPOLICY   VOLUMEBINDINGMODE   ALLOWVOLUMEEXPANSION   AGE\nstandard   ebs.csi.aws.com   Delete          Immediate           true                   9m\n",
         Entity("storageclass", "standard"), "provisioner", "ebs.csi.aws.com"),
        ("NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE\nweb    2               N/A               0                     9m\n",
         Entity("poddisruptionbudget", "web"), "status.disruptionsAllowed", 0),
        ("NAME    DESIRED   CURRENT   READY   UP-TO-DATE   AVAILABLE   NODE SELECTOR   AGE\nagent   3         3         2       3            2           <none>          9m\n",
         Entity("daemonset", "agent"), "status.desiredNumberScheduled", 3),
        ("NAME     SECRETS   AGE\nrunner   0         9m\n", Entity("serviceaccount", "runner"), "metadata.name", "runner"),
    ],
)  # fmt: skip
def test_tables_of_other_kinds(read: Read, table: str, entity: Entity, attribute: str, value: str | int | bool) -> None:
    """The columns that only one kind's table has tell which kind it is."""
    assert values(read(table), entity)[attribute] == value


EVENTS = """
NAMESPACE   LAST SEEN            TYPE      REASON             OBJECT       MESSAGE
shop        2m (x5 over 7m)      Warning   FailedScheduling   pod/web-0    0/3 nodes are available: 3 Insufficient memory.
shop        61s                  Normal    Scheduled          pod/web-0    Successfully assigned shop/web-0 to node-a
"""


def test_event_rows_are_facts_of_the_object(read: Read) -> None:
    """The event belongs to what it is about, with how often it was seen."""
    facts = [fact for fact in read(EVENTS).facts if fact.entity == Entity("pod", "web-0", "shop")]
    failed = next(fact for fact in facts if fact.attribute == "event.FailedScheduling")
    assert failed.count == 5
    assert failed.value == "0/3 nodes are available: 3 Insufficient memory."
    signature = next(fact for fact in facts if fact.attribute == "signature.scheduler.insufficient_resource")
    assert dict(signature.params)["resource"] == "memory"


def test_pod_rows_without_a_header(read: Read) -> None:
    """`kubectl get pods -A -o wide | grep web` leaves only rows."""
    row = "shop        web-0     1/1     Running   2 (8m56s ago)      42h     10.244.1.75    node-a   <none>   <none>   app=web\n"
    found = values(read(row), Entity("pod", "web-0", "shop"))
    assert found["metadata.labels.app"] == "web"
    assert found["status.restarts"] == 2


def test_row_that_does_not_fit_is_counted(read: Read) -> None:
    """A row whose cells cannot be told apart is left out, and that is said."""
    extraction = read(
        "NAME   READY   STATUS    RESTARTS   AGE\nweb-0-with-a-long-name oops\nweb-1   1/1     Running   0   9m\n"
    )
    assert extraction.problems == ("1 rows of `kubectl get` tables do not fit their header and are left out.",)


def test_row_out_of_line_is_read_by_its_blanks() -> None:
    """A value longer than its column moves the rest; two blanks still part the cells."""
    header = Header.of("NAME   READY   STATUS")
    assert header.row("a-long-name  1/1  Running") == {"NAME": "a-long-name", "READY": "1/1", "STATUS": "Running"}
    assert header.row("a-long-name oops") is None


def test_top_gives_use_in_base_units(read: Read) -> None:
    """Cores and bytes, so that they compare with limits."""
    pods = read("NAMESPACE   NAME    CPU(cores)   MEMORY(bytes)\nshop        web-0   250m         120Mi\n")
    assert values(pods, Entity("pod", "web-0", "shop")) == {"usage.cpu": 0.25, "usage.memory": 120 * 2.0**20}
    nodes = read(
        "NAME     CPU(cores)   CPU%   MEMORY(bytes)   MEMORY%\nnode-a   1200m        30%    2Gi             50%\n"
    )
    assert values(nodes, Entity("node", "node-a"))["usage.memory"] == 2.0**31
    parts = read("POD     NAME   CPU(cores)   MEMORY(bytes)\nweb-0   app    5m           20Mi\n")
    assert values(parts, Entity("pod", "web-0"))["usage.app.cpu"] == 0.005


LINEAGE = """
NAME                                        READY   STATUS                                            AGE
Deployment/web                              1/1                                                       11s
├── Event/web.180b8363b62fcb16              -       ScalingReplicaSet: Scaled up replica set to 1     11s
└── ReplicaSet/web-766b65899b               1/1                                                       11s
    └── Pod/web-766b65899b-lwqnt            0/1     CrashLoopBackOff                                  11s
        ├── Event/web-766b65899b-lwqnt.18   -       BackOff: Back-off restarting failed container     10s
        └── Service/kubernetes              -                                                         44d
"""


def test_tree_of_owners(read: Read) -> None:
    """Plug-ins print objects as a tree: who stands above owns, and events belong to who stands above."""
    extraction = read(LINEAGE)
    owned = {(r.a.name, r.b.name) for r in extraction.relations if r.kind == "owns"}
    assert owned == {("web", "web-766b65899b"), ("web-766b65899b", "web-766b65899b-lwqnt")}
    pod = values(extraction, Entity("pod", "web-766b65899b-lwqnt"))
    assert pod["status.containerStatuses.*.state.waiting.reason"] == "CrashLoopBackOff"
    assert pod["event.BackOff"] == "Back-off restarting failed container"
    assert values(extraction, Entity("deployment", "web"))["event.ScalingReplicaSet"] == "Scaled up replica set to 1"


def test_branch_without_a_root_is_counted_as_unread(read: Read) -> None:
    """A tree that was cut at its top has no owner to name."""
    extraction = read("NAME                READY   STATUS    AGE\n└── Pod/web-0       0/1     Error     9m\n")
    assert extraction.problems == ("1 rows of `kubectl get` tables do not fit their header and are left out.",)


def test_rows_that_name_nothing_are_counted(read: Read) -> None:
    """An event without an object and a branch without a kind say nothing about anybody."""
    events = "LAST SEEN   TYPE      REASON    OBJECT   MESSAGE\n9s          Warning   BackOff   web-0    Back-off\n"
    assert "1 rows" in read(events).problems[0]
    tree = "NAME                READY   STATUS    AGE\nDeployment/web      0/1               9m\n└── web-0           0/1     Error     9m\n"
    assert "1 rows" in read(tree).problems[0]

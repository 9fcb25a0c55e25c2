"""Every check against one object that breaks its invariant and one that keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
from faultmaven_core.analysis.analyse import extract_all
from faultmaven_core.analysis.checks.registry import REGISTRY, check
from faultmaven_core.analysis.checks.run import run_checks, violation_facts
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_joins import join
from faultmaven_core.analysis.model import Category, Violation
from faultmaven_core.analysis.signals.signatures import SignatureScan

FIXTURES = Path(__file__).parent / "fixtures"
TOOLS = Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))


def found(*paths: Path) -> Sequence[Violation]:
    return judged({str(path.relative_to(FIXTURES)): path.read_bytes() for path in paths})


def judged(sources: Mapping[str, bytes]) -> Sequence[Violation]:
    extractions, _ = extract_all(sources, TOOLS)
    assert [problem for each in extractions for problem in each.problems] == []
    graph = EvidenceGraph.of(extractions)
    return run_checks(graph.with_more(relations=join(graph)))


def fixture(name: str, which: str) -> Sequence[Violation]:
    return found(*sorted((FIXTURES / name).glob(f"{which}.*")))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_broken_invariant_is_found(name: str) -> None:
    """The bad fixture breaks the invariant, and the violation says on which lines."""
    ours = [violation for violation in fixture(name, "bad") if violation.check == name]
    assert ours
    assert all(fact.spans for violation in ours for fact in violation.premises)
    assert all(violation.actual.endswith((".", "%")) or ":" in violation.actual for violation in ours)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_kept_invariant_is_left_alone(name: str) -> None:
    """No check at all fires on the good fixture: one that fires where it should not is worse than none."""
    assert [violation.actual for violation in fixture(name, "good")] == []


def test_every_check_has_fixtures_and_every_fixture_a_check() -> None:
    """A check without its two fixtures would pass unseen."""
    assert {path.name for path in FIXTURES.iterdir()} == set(REGISTRY)
    assert len(REGISTRY) >= 30


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_check_says_what_why_and_how_to_mend(name: str) -> None:
    """`fm checks list` shows these sentences."""
    one = REGISTRY[name]
    assert one.title
    assert one.title != name
    assert one.why.endswith(".")
    assert one.remedy.endswith(".")


def test_two_checks_cannot_share_a_name() -> None:
    """The second would hide the first."""
    decorate = check("kubernetes.job_failed", why="Why.", remedy="How.", category=Category.UNKNOWN)
    with pytest.raises(ValueError, match=r"kubernetes\.job_failed"):
        decorate(lambda cluster: [])


def test_facts_of_violations_tell_certain_from_possible() -> None:
    """Mechanisms give a possible violation less weight than a certain one."""
    certain = violation_facts(fixture("kubernetes.configmap_missing", "bad"))
    possible = violation_facts(fixture("kubernetes.command_misspelt", "bad"))
    assert [fact.attribute for fact in certain] == ["violation.kubernetes.configmap_missing"]
    assert [fact.attribute for fact in possible] == ["possible.kubernetes.command_misspelt"]
    assert ("missing", "web-setings") in certain[0].params


def test_order_of_files_does_not_change_the_violations() -> None:
    """The same evidence gives the same record whatever the order of its files."""
    paths = sorted(FIXTURES.glob("*/bad.yaml"))[:12]
    assert found(*paths) == found(*reversed(paths))


WORKLOAD = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
{spec}
      containers:
      - name: web
        image: registry.acme.net/web:1
{container}
{rest}
"""


def workload(spec: str = "", container: str = "", rest: str = "", replicas: int = 1) -> str:
    return WORKLOAD.format(spec=spec, container=container, rest=rest, replicas=replicas)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A script with command substitution, here documents or an open quote is too rich, or broken in another way.
        (workload(container='        command: [sh, -c, "echo $(date; fi"]'), []),
        (workload(container="""        command: [sh, -c, "echo 'open; sleep 5"]"""), ["kubernetes.shell_script_unbalanced"]),
        # Labels that clouds set need no node in the evidence.
        (workload("      nodeSelector: {kubernetes.io/os: linux}"), []),
        (workload("      nodeSelector: {disk: ssd}"), ["kubernetes.node_selector_matches_no_node"]),
        # Only the manifests are there: a reference that nothing meets is possible, not certain.
        (workload("      volumes: [{name: data, configMap: {name: settings}}]"), ["kubernetes.configmap_missing"]),
        # The workload's state is there too: what it refers to may simply not have been collected.
        (workload("      volumes: [{name: data, configMap: {name: settings}}]", rest="status: {readyReplicas: 1}"), []),
        # One replica excludes nobody.
        (
            workload(
                "      affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, "
                "labelSelector: {matchLabels: {app: web}}}]}}"
            ),
            [],
        ),
        # An autoscaler of the first API version.
        (
            workload(
                rest="---\napiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: web, namespace: shop}\n"
                "spec: {scaleTargetRef: {kind: Deployment, name: web}, maxReplicas: 3, targetCPUUtilizationPercentage: 50}"
            ),
            ["kubernetes.autoscaler_without_requests"],
        ),
        # A quota counts replicas.
        (
            workload(
                container="        resources: {requests: {memory: 1Gi}}",
                replicas=4,
                rest="---\napiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q, namespace: shop}\nspec: {hard: {requests.memory: 2Gi}}",
            ),
            ["kubernetes.quota_too_small"],
        ),
        # A role that is not in the evidence may allow anything.
        (
            workload(
                container="        command: [sh, -c, 'kubectl get pods']",
                rest="---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\n"
                "roleRef: {kind: ClusterRole, name: view}\nsubjects: [{kind: ServiceAccount, name: default}]",
            ),
            [],
        ),
    ],
)  # fmt: skip
def test_edges_of_checks(text: str, expected: list[str]) -> None:
    """What is known and what is not decides, not the look of a word."""
    assert [violation.check for violation in judged({"evidence.yaml": text.encode()})] == expected

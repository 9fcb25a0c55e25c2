"""Terminal sessions and recorded tool runs, cut into what each command printed."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.transcript import sections
from faultmaven_core.analysis.intake.commands import printed_by, subject_of
from faultmaven_core.analysis.model import Entity


def cut(text: str, command: str = "") -> list[tuple[str, str]]:
    """Each section's command and text."""
    passage = SourceText(text.encode()).passage()
    return [(s.command, passage.part(s.first, s.end).text.strip()) for s in sections(passage, command)]


def test_prompts_of_usual_shells_begin_sections() -> None:
    """User and host, bare signs, root, traced scripts, headlines."""
    text = (
        "ops@bastion:~/x$ kubectl get pods\nA\n[root@n1 ~]# df -h\nB\n$ free -m\nC\n+ dmesg -T\nD\n"
        "=== kubectl describe pod web-0 ===\nE\nCommand executed: kubectl top nodes\nF\n"
    )
    assert cut(text) == [
        ("kubectl get pods", "A"),
        ("df -h", "B"),
        ("free -m", "C"),
        ("dmesg -T", "D"),
        ("kubectl describe pod web-0", "E"),
        ("kubectl top nodes", "F"),
    ]


def test_a_recorded_failure_belongs_to_its_command() -> None:
    """The error stands under stderr, the empty stdout is no section."""
    text = "Command `kubectl logs web-0 -n shop` failed with return code 1\nstdout:\n\nstderr:\nError from server (NotFound)\n"
    assert cut(text) == [("kubectl logs web-0 -n shop", "Error from server (NotFound)")]


def test_streams_without_a_command_keep_the_one_that_is_known() -> None:
    """A collector's list may know what the wrapper does not say."""
    assert cut("stdout:\nline\n\nstderr:\nwarning\n", "kubectl logs a") == [
        ("kubectl logs a", "line"),
        ("kubectl logs a", "warning"),
    ]


def test_lines_that_only_resemble_a_prompt_stay_output() -> None:
    """Log lines with dollars, dashes and mail addresses."""
    text = "$ kubectl logs a\nuser@shop.example paid 10 $\n--- summary ---\n> GET /health\n# comment\n"
    assert [command for command, _ in cut(text)] == ["kubectl logs a"]


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("kubectl describe pod x", "kubectl_describe"),
        ("kubectl -n shop get pods -o wide", "kubectl_get"),
        ("kubectl get pod x -o yaml", ""),
        ("oc adm top pods", "kubectl_top"),
        ("journalctl -u kubelet", "log"),
        ("kubectl_get_yaml", ""),
        ("df -h", ""),
        ("", ""),
    ],
)
def test_a_command_promises_a_kind(command: str, kind: str) -> None:
    """Only where its output can be nothing else."""
    assert printed_by(command) == kind


@pytest.mark.parametrize(
    ("command", "entity"),
    [
        ("kubectl logs -n shop web-0 -c app --tail=20000", Entity("pod", "web-0", "shop")),
        ("kubectl logs deploy/web --namespace=shop", Entity("deployment", "web", "shop")),
        ("sudo kubectl -n shop logs --previous web-0 | tail -5", Entity("pod", "web-0", "shop")),
        ("kubectl logs -l app=web", None),
        ("kubectl get pods", None),
    ],
)
def test_a_log_belongs_to_whom_the_command_names(command: str, entity: Entity | None) -> None:
    """A selector names nobody in particular."""
    assert subject_of(command) == entity

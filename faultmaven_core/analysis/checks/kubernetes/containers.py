"""Containers that do not run, or do not keep running."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_health import complaints
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, KubernetesObject
from faultmaven_core.analysis.model import Category, Fact, Violation

_GROUPS = (("status.initContainerStatuses", "spec.initContainers"), ("status.containerStatuses", "spec.containers"))
_CONFIG = ("CreateContainerConfigError", "CreateContainerError", "InvalidImageName")
_MEANT = {
    1: "an error of the application",
    2: "a misuse of the shell or wrong arguments",
    126: "the command is not executable",
    127: "the command is not found",
    128: "the command could not be started",
    134: "abort (SIGABRT)",
    137: "killed (SIGKILL)",
    139: "segmentation fault (SIGSEGV)",
    143: "terminated (SIGTERM)",
}
"""Exit codes: 128 + signal number, and the POSIX shell's own (126, 127)."""


@dataclass(frozen=True, slots=True)
class Status:
    """A container's status in a pod that is not well now."""

    pod: KubernetesObject
    path: str
    name: str
    initial: bool
    image: str

    def fact(self, part: str) -> Fact | None:
        """The fact of a part of the status."""
        return self.pod.fact(f"{self.path}.{part}")

    def text(self, part: str) -> str:
        """The value of a part of the status."""
        return self.pod.text(f"{self.path}.{part}")

    @property
    def ended(self) -> str:
        """Where the last end is told: in the present state, else in the last one; empty where it has not ended."""
        for state in ("state", "lastState"):
            if any(True for _ in self.pod.under(f"{self.path}.{state}.terminated")):
                return f"{state}.terminated"
        return ""

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        told = self.pod.number(f"{self.path}.restartCount")
        return int(told if told is not None else self.pod.number("status.restarts") or 0)

    def bindings(self) -> dict[str, Any]:
        """Values that texts about a container use."""
        code = self.text(f"{self.ended}.exitCode") if self.ended else ""
        return {
            "container": self.name if self.name != "*" else "",
            "image": self.image,
            "restarts": self.restarts or "",
            "exit_code": code,
            "exit_meaning": _MEANT.get(int(code), "") if code.isdecimal() else "",
            "reason": self.text(f"{self.ended}.reason") if self.ended else "",
            "waiting": self.text("state.waiting.reason"),
            "said": " ".join(self.text("state.waiting.message").split())[:200],
            "role": "init container" if self.initial else "container",
        }


def failing(cluster: Cluster) -> Iterator[Status]:
    """The containers of pods that are not well now."""
    for pod in cluster.of_kind("pod"):
        if complaints(pod, cluster):
            for path, spec in _GROUPS:
                for name in pod.keys(path):
                    image = pod.text(f"{spec}.{name}.image") or pod.text(f"{path}.{name}.image")
                    yield Status(pod, f"{path}.{name}", name, spec == "spec.initContainers", image)


@check(
    "kubernetes.container_crash_loops",
    why="The kubelet starts the container again with growing delays; between the tries it does no work.",
    remedy="Read the log of the run that ended (`kubectl logs --previous`) and mend what it names.",
    category=Category.CODE_DEFECT,
)
def container_crash_loops(cluster: Cluster) -> Iterator[Violation]:
    """A container ends with an error again and again."""
    for status in failing(cluster):
        code = status.text(f"{status.ended}.exitCode") if status.ended else ""
        looping = status.text("state.waiting.reason") == "CrashLoopBackOff" or (
            status.restarts > 1 and code not in ("", "0")
        )
        if not looping or status.text(f"{status.ended}.reason") == "OOMKilled":
            continue
        told = [status.fact(f"{status.ended}.{part}") for part in ("exitCode", "reason")] if status.ended else []
        bound = status.bindings()
        times = f", started {status.restarts} times again" if status.restarts else ""
        ended = f", ended with exit code {code}" if code else ""
        yield broken(
            status.pod,
            [status.fact("state.waiting.reason"), *told, status.fact("restartCount")],
            f"{str(bound['role']).capitalize()} {status.name} of {status.pod} does not stay up: "
            f"{status.text('state.waiting.reason') or 'it restarts'}{times}{ended}.",
            expected="a container that keeps running",
            **bound,
        )


@check(
    "kubernetes.container_out_of_memory",
    why="The kernel kills the process that passes the memory limit of its cgroup; the work it held is lost.",
    remedy="Raise the memory limit to above the working set, or mend what holds the memory.",
    category=Category.RESOURCE_EXHAUSTION,
)
def container_out_of_memory(cluster: Cluster) -> Iterator[Violation]:
    """A container was killed because it used more memory than its limit."""
    for status in failing(cluster):
        for state in ("state", "lastState"):
            reason = status.fact(f"{state}.terminated.reason")
            if reason is None or reason.value != "OOMKilled":
                continue
            spec = status.path.replace("status.containerStatuses", "spec.containers")
            limit = status.pod.fact(f"{spec}.resources.limits.memory")
            shown = f" with a memory limit of {limit.value}" if limit is not None else ""
            yield broken(
                status.pod,
                [reason, status.fact(f"{state}.terminated.exitCode"), limit, status.fact("restartCount")],
                f"Container {status.name} of {status.pod}{shown} was OOMKilled.",
                expected="a working set below the memory limit",
                limit=limit.value if limit is not None else "",
                **status.bindings(),
            )
            break


@check(
    "kubernetes.container_failed",
    why="The work of this container was not done.",
    remedy="Read its log and mend what it names.",
    category=Category.CODE_DEFECT,
)
def container_failed(cluster: Cluster) -> Iterator[Violation]:
    """A container that should end well ended with an error and is not started again."""
    for status in failing(cluster):
        code, reason = status.fact("state.terminated.exitCode"), status.fact("state.terminated.reason")
        failed = (code is not None and code.value != 0) or (
            code is None and reason is not None and reason.value == "Error"
        )
        if failed and status.text("state.terminated.reason") != "OOMKilled":
            bound = status.bindings()
            shown = f"exit code {code.value}" if code is not None else "an error"
            yield broken(
                status.pod,
                [code, reason],
                f"{str(bound['role']).capitalize()} {status.name} of {status.pod} ended with {shown}.",
                expected="exit code 0",
                **bound,
            )


@check(
    "kubernetes.container_cannot_be_created",
    why="The kubelet cannot even create the container; the image is there, its surroundings are not.",
    remedy="Create what the message names, or correct the reference to it.",
    category=Category.CONFIGURATION_ERROR,
)
def container_cannot_be_created(cluster: Cluster) -> Iterator[Violation]:
    """A container cannot be created because of its configuration."""
    for status in failing(cluster):
        waiting = status.fact("state.waiting.reason")
        if waiting is None or waiting.value not in _CONFIG:
            continue
        message = status.fact("state.waiting.message") or next(iter(status.pod.all("event.Failed")), None)
        text = str(message.value) if message is not None else ""
        missing = re.search(r'(?P<kind>configmap|secret)s? "(?P<name>[^"]+)" not found', text)
        key = re.search(r"couldn't find key (?P<key>\S+) in (?P<kind>ConfigMap|Secret) (?:\S+/)?(?P<name>\S+)", text)
        yield broken(
            status.pod,
            [waiting, message],
            f"Container {status.name} of {status.pod} cannot be created: {waiting.value}{': ' + text if text else ''}.",
            expected="a container that can be created",
            missing=key["key"] if key else missing["name"] if missing else "",
            missing_kind="key" if key else missing["kind"] if missing else "",
            message=text,
            **status.bindings(),
        )


@check(
    "kubernetes.init_container_blocks",
    why="The containers of a pod start only after every init container has ended well, one after another.",
    remedy="Mend the init container, or what it waits for.",
    category=Category.CONFIGURATION_ERROR,
)
def init_container_blocks(cluster: Cluster) -> Iterator[Violation]:
    """A pod waits for an init container."""
    for status in failing(cluster):
        ended_well = (
            status.text("state.terminated.reason") == "Completed" or status.text("state.terminated.exitCode") == "0"
        )
        if status.initial and not ended_well and status.text("ready") != "True":
            waiting = status.text("state.waiting.reason")
            if waiting == "PodInitializing":
                continue
            yield broken(
                status.pod,
                [status.fact("state.waiting.reason"), status.fact("state.running.startedAt"), status.fact("ready")],
                f"{status.pod} does not start because its init container {status.name} "
                f"{'fails' if status.ended or 'Back' in waiting else 'has not ended'}.",
                expected="init containers that end with exit code 0",
                **status.bindings(),
            )

"""Commands and what they print: prompts in transcripts, and the kind of output that a command line promises."""

from __future__ import annotations

import re
from collections.abc import Sequence

from faultmaven_core.analysis.model import Entity

_TOOLS = (
    "kubectl|oc|k|k3s|microk8s|helm|docker|podman|crictl|journalctl|systemctl|dmesg|df|du|free|ps|top|cat|tail|head|grep|"
    "ls|ip|ss|netstat|vmstat|iostat|mpstat|sar|curl|wget|psql|mysql|redis-cli|uptime|uname|lsblk|mount|dig|nslookup|ping|"
    "host|date|hostname|sysctl|ulimit|lsof|jq|aws|gcloud|az|ifconfig|route|traceroute|lscpu|last"
)
PROMPT = re.compile(
    rf"(?:\[?[\w.-]+@[\w.-]+[^$#>%]{{0,80}}[$#>%]|[$%>]|\+{{1,3}}|[=#*-]{{2,}}|Command(?: executed| run)?:|(?:root|bash[\d.-]*|sh[\d.-]*)[#$])"
    rf" ?(?P<command>(?:sudo )?(?:{_TOOLS})(?: [^\n]*?)?)(?: ?[=#*-]{{2,}})?"
)
"""A prompt or a headline, then a command of a tool that prints evidence."""

FAILED = re.compile(r"Command `(?P<command>[^`]{1,2000})` failed with return code (?P<code>-?\d+)")
"""How recorders of tools put down a command that failed; its stdout and stderr follow."""

STREAM = re.compile(r"(?:stdout|stderr):")
_LOGS_OF = re.compile(r"(?:kubectl|oc|k)\b.*?\slogs\s+(?P<rest>.*)")
_NAMESPACE = re.compile(r"(?:-n|--namespace)[ =]([a-z0-9][a-z0-9-]*)")
_WITH_VALUE = (
    "-n",
    "-c",
    "-l",
    "--namespace",
    "--container",
    "--tail",
    "--since",
    "--since-time",
    "--context",
    "--selector",
)
_SHORT_KINDS = {
    "po": "pod",
    "pods": "pod",
    "deploy": "deployment",
    "deployments": "deployment",
    "sts": "statefulset",
    "ds": "daemonset",
    "rs": "replicaset",
    "jobs": "job",
    "svc": "service",
}


def is_transcript(lines: Sequence[str]) -> float:
    """Output wrapped by what ran the command, or a terminal session."""
    first = next(line for line in lines if line.strip())
    if FAILED.match(first) or STREAM.fullmatch(first.strip()):
        return 0.97
    return 0.96 if any(PROMPT.fullmatch(line.rstrip()) for line in lines) else 0.0


def printed_by(command: str) -> str:
    """The kind of what a command (or a recorder's tool name) prints; empty where that can be anything."""
    words = re.split(r"[\s_|]+", command.lower())
    if "kubectl" not in words and "oc" not in words:
        return "log" if words[0] in ("journalctl", "dmesg", "logs") or "logs" in words else ""
    if "logs" in words:
        return "log"
    if "describe" in words:
        return "kubectl_describe"
    if "top" in words:
        return "kubectl_top"
    if "get" in words and "yaml" not in command and "json" not in command:
        return "kubectl_get"
    return ""


def subject_of(command: str) -> Entity | None:
    """Whose log a command printed."""
    match = _LOGS_OF.search(command.split("|", maxsplit=1)[0])
    if match is None:
        return None
    words = match["rest"].split()
    skip = {i + 1 for i, word in enumerate(words) if word in _WITH_VALUE}
    names = [word for i, word in enumerate(words) if i not in skip and not word.startswith("-")]
    if not names:
        return None
    kind, _, name = names[0].rpartition("/")
    namespace = _NAMESPACE.search(command)
    return Entity(_SHORT_KINDS.get(kind, kind or "pod"), name, namespace[1] if namespace else "")

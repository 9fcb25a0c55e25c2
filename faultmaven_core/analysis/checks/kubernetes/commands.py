"""Commands that cannot work as they are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from faultmaven_core.analysis.checks.registry import broken, check
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster, Container
from faultmaven_core.analysis.model import Category, Violation

PROGRAMS = frozenset(
    """awk bash cat chmod chown cp curl cut date df dig dotnet echo env find gradle grep gunicorn gzip head java ls make
    mkdir mount mvn mysql nc nginx node npm nslookup openssl php ping pip printf psql python python3 redis-cli redis-server ruby
    sed sh sleep sort tail tar tee telnet test touch true uvicorn wget xargs yarn""".split()  # noqa: SIM905 - a word list reads best as words
)
"""Programs that images commonly hold; a command one letter away from one of them is probably a typo."""

_PAIRS = (("if", "fi"), ("do", "done"), ("case", "esac"))


def typo_of(command: str) -> str:
    """The common program that a command is one insertion, deletion, change or swap away from; empty if none is."""
    name = command.rsplit("/", 1)[-1]
    if name in PROGRAMS or len(name) < 3 or not name.isascii():
        return ""
    return min((known for known in PROGRAMS if len(known) > 3 and _one_apart(name, known)), default="")


def _one_apart(a: str, b: str) -> bool:
    if abs(len(a) - len(b)) > 1 or a[0] != b[0]:
        return False
    short, long = sorted((a, b), key=len)
    if len(short) < len(long):
        return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
    wrong = [i for i in range(len(a)) if a[i] != b[i]]
    swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]
    return len(wrong) == 1 or swapped


def script_of(container: Container) -> str:
    """The script that a container gives to a shell with -c; empty where it runs no shell."""
    words = [*container.of.texts(container.at("command")), *container.of.texts(container.at("args"))]
    shell = words and words[0].rsplit("/", 1)[-1] in ("sh", "bash", "ash", "dash")
    flag = next((i for i, word in enumerate(words) if re.fullmatch(r"-[a-z]*c", word)), None) if shell else None
    return "\n".join(words[flag + 1 :]) if flag is not None else ""


@check(
    "kubernetes.command_misspelt",
    why="The runtime looks the command up in the image and finds nothing; the container never runs.",
    remedy="Correct the command.",
    category=Category.CONFIGURATION_ERROR,
)
def command_misspelt(cluster: Cluster) -> Iterator[Violation]:
    """A command is one letter away from a common program."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            first = container.fact("command.0")
            meant = typo_of(str(first.value)) if first is not None else ""
            if first is not None and meant:
                role = "init container" if container.initial else "container"
                image = container.text("image")
                yield broken(
                    each,
                    [first],
                    f"The command `{first.value}` of {role} {container.name} of {each} is one letter away from `{meant}`"
                    f"{': the image ' + image + ' has no such program' if image else ''}.",
                    expected=f"`{meant}`",
                    certain=False,
                    command=first.value,
                    meant=meant,
                    container=container.name,
                    image=image,
                    role=role,
                )


@check(
    "kubernetes.shell_script_unbalanced",
    why="The shell reads the whole script before it runs it, and ends with exit code 2 at a word it does not expect.",
    remedy="Give every `if` its `fi`, every `do` its `done`, every quote its end.",
    category=Category.CONFIGURATION_ERROR,
)
def shell_script_unbalanced(cluster: Cluster) -> Iterator[Violation]:
    """A shell script in a command opens or closes a block too often."""
    for each in cluster.workloads:
        for container in cluster.containers(each):
            script = script_of(container)
            odd = _unbalanced(script) if script else ""
            if odd:
                yield broken(
                    each,
                    [*each.under(container.at("args")), *each.under(container.at("command"))],
                    f"The shell script of container {container.name} of {each} has an unmatched `{odd}`.",
                    expected="a script that the shell can parse",
                    container=container.name,
                    image=container.text("image"),
                    token=odd,
                )


def _unbalanced(script: str) -> str:
    """The keyword that has no partner; empty where all have one, or where the text is too rich to tell."""
    if "<<" in script or "$(" in script or "`" in script:
        return ""
    try:
        words = list(shlex.shlex(script.replace("\n", " ; "), posix=True, punctuation_chars=";&|()"))
    except ValueError:
        return "quote"
    # A keyword counts only where a command can begin.
    starts = [word for before, word in zip([";", *words], words, strict=False) if before in _BEFORE]
    for opening, closing in _PAIRS:
        balance = starts.count(closing) - starts.count(opening)
        if balance:
            return closing if balance > 0 else opening
    return ""


_BEFORE = frozenset({";", "&&", "||", "|", "&", "(", ";;", "do", "then", "else", "{", "done", "fi"})

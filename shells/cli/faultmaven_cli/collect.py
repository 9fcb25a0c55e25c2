"""`fm collect`: a readable, read-only script that makes a support bundle; what `--print` shows is exactly what runs."""

from __future__ import annotations

import re
import shlex
from importlib import resources

import click

SHELL = "/bin/sh"


@click.group()
def collect() -> None:
    """Make a support bundle that `fm investigate` takes.

    Runs a short POSIX shell script that only reads, and says what it reads before it does. Where FaultMaven is not
    installed, take the script there: `fm collect host --print > collect.sh`.
    """


def _shared(command: click.decorators.FC) -> click.decorators.FC:
    command = click.option("--print", "print_", is_flag=True, help="Print the script instead of running it.")(command)
    return click.option("--output", default="", metavar="FILE", help="Where the archive goes; - is standard output.")(
        command
    )


@collect.command()
@_shared
def host(print_: bool, output: str) -> None:
    """Read this host: load, memory, disks, processes, sockets, failed units, kernel and system journal."""
    _offer(script("host", output), print_)


@collect.command()
@click.option("--namespace", "-n", default="", help="Only this namespace; default is all.")
@_shared
def k8s(namespace: str, print_: bool, output: str) -> None:
    """Read a Kubernetes cluster with kubectl get, describe, logs and top, in its current context."""
    from faultmaven_core.shared.errors import InvalidInputError

    # Checked because the name goes into file names and commands; this is the API's own rule for namespaces (RFC 1123).
    if namespace and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", namespace):
        raise InvalidInputError(f"'{namespace}' is no name of a namespace: lower-case letters, digits and - only.")
    _offer(script("k8s", output, namespace), print_)


def script(name: str, output: str = "", namespace: str = "") -> str:
    """The script with the caller's choices as its defaults."""
    text = resources.files("faultmaven_cli").joinpath("scripts", f"{name}.sh").read_text(encoding="utf-8")
    if output:
        text = re.sub(r"^output=.*$", lambda _: f"output={shlex.quote(output)}", text, count=1, flags=re.MULTILINE)
    if namespace:
        text = text.replace("namespace=${2:-}", f"namespace={shlex.quote(namespace)}", 1)
    return text


def _offer(text: str, print_: bool) -> None:
    if print_:
        click.echo(text, nl=False)
        return
    import subprocess
    import sys

    done = subprocess.run([SHELL, "-c", text], check=False)  # noqa: S603 - our own script, choices are quoted
    if done.returncode:
        sys.exit(done.returncode)

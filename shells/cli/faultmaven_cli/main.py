"""The `fm` command: names of commands here, everything else only when a command needs it."""

from __future__ import annotations

import sys
from importlib import import_module

import click

COMMANDS = {
    "investigate": ("investigate:investigate", "Find the root cause in files and folders of evidence."),
    "report": ("report:report", "Write a case's report: text, Markdown, HTML or JSON."),
    "case": ("case:case", "List, show, confirm, reject, close or delete cases."),
    "evidence": ("evidence:evidence", "Add, list, search and classify evidence; mine log templates."),
    "knowledge": ("knowledge:knowledge", "Add, sync, search, list and delete runbooks and other documents."),
    "checks": ("checks:checks", "What is checked, and what you want ignored."),
    "collect": ("collect:collect", "Make a support bundle of a Kubernetes cluster or this host, read-only."),
    "verify": ("verify:verify_command", "Check the claims of a record against the evidence, byte by byte."),
    "redact": ("redact:redact", "Print a text with secrets and personal data masked."),
    "config": ("config:config", "Show the settings in force and check them."),
    "jobs": ("jobs:jobs", "List, show, retry or cancel background jobs."),
    "serve": ("serve:serve", "Serve the HTTP interface: all services, or one alone."),
    "admin": ("admin:admin", "Manage users, organizations, roles, teams and signing keys."),
    "audit": ("audit:audit", "Show the audit log, and whether anybody tampered with it."),
    "worker": ("worker:worker", "Run jobs: what was left to do after commits."),
    "migrate": ("migrate:migrate", "Bring the database to the schema of this version."),
    "transfer": ("transfer:transfer", "Move a database, blobs or vectors to other backends, verified."),
    "doctor": ("doctor:doctor", "Try every server that the settings name, and say what is wrong."),
    "neutrality": ("neutrality:neutrality", "Show what runs where, and the test runs that prove it."),
    "completion": ("completion:completion", "Print the script that completes `fm` in your shell."),
    "version": ("version:version", "Print the version."),
}
"""Command name to (module:attribute, one-line help). The help stands here so that `fm --help` imports no command."""

EXAMPLES = """\b
Examples:
  fm investigate ./incident --question "Why does checkout fail?"
  fm investigate pod.yaml app.log.gz --format html --output report.html
  fm collect k8s --namespace shop --output - | fm investigate -
"""


class LazyCommands(click.Group):
    """Imports a command's module when the command is run or its own help is asked for, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the table, which is the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(f"faultmaven_cli.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The table's one-line helps."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LazyCommands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected failure.")
def fm(debug: bool) -> None:
    """Find the root cause in logs, metrics, manifests and alerts, each claim cited to the byte."""


def main() -> None:
    """Run `fm` and end with the exit code that stands for what happened (see docs/command-line.md)."""
    try:
        ended = fm(prog_name="fm", standalone_mode=False)  # click returns the code of an Exit, it does not raise it
    except BaseException as failure:  # noqa: BLE001 - the one place where every failure becomes a sentence
        from faultmaven_cli.failures import report_failure

        sys.exit(report_failure(failure, sys.argv[1:]))
    sys.exit(ended if isinstance(ended, int) else 0)


if __name__ == "__main__":
    main()

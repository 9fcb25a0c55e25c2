"""What the documentation of the command line promises is what the command line has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from faultmaven_cli.failures import BROKEN_PIPE, EXIT_CODES, INTERRUPTED, UNEXPECTED, USAGE
from faultmaven_cli.main import fm

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "command-line.md").read_text()
SHOWN = [
    part.strip()
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    for part in line.removeprefix("$ ").split(" #")[0].split(" | ")
    if part.strip().startswith("fm ")
]


@pytest.mark.parametrize("line", SHOWN)
def test_every_shown_command_and_option_exists(line: str) -> None:
    """Documentation does not drift from the program."""
    words = shlex.split(re.sub(r"\s*[>]+ .*", "", line))[1:]
    command: click.Command = fm
    context = click.Context(command, info_name="fm")
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command, context = found, click.Context(found, info_name=found.name, parent=context)
    options = {name for parameter in command.get_params(context) for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, line


def test_table_of_exit_codes_is_complete() -> None:
    """Each code that the program can end with has a row, and no other has; a reader who goes away sees none."""
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}
    assert documented == {0, USAGE, UNEXPECTED, INTERRUPTED, *EXIT_CODES.values()} - {BROKEN_PIPE}


def test_table_of_options_is_complete() -> None:
    """Every option of `fm investigate` is told of."""
    investigate = fm.get_command(click.Context(fm), "investigate")
    assert investigate is not None
    options = {name for p in investigate.params if isinstance(p, click.Option) for name in p.opts if name[:2] == "--"}
    assert {name for name in options if name not in TEXT} == set()

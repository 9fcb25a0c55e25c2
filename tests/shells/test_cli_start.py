"""The command line before it does anything: quick to start, helpful, and honest about failures."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from faultmaven_cli.failures import EXIT_CODES, exit_code, report_failure
from faultmaven_cli.main import COMMANDS, fm
from faultmaven_core.shared import errors

HEAVY = (
    "sqlalchemy",
    "alembic",
    "asyncpg",
    "boto3",
    "redis",
    "celery",
    "injector",
    "numpy",
    "msgspec",
    "jinja2",
    "rich",
    "yaml",
    "hyperscan",
    "re2",
    "pypdf",
    "docx",
    "zstandard",
    "asyncio",
    "faultmaven",
    "faultmaven_adapters",
    "faultmaven_core",
)
"""Modules that `fm --help` must not load."""


def _fm(*arguments: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "faultmaven_cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environ or {})},
    )


def test_help_loads_nothing_heavy() -> None:
    """A command line that takes a second to say what it can do is not used."""
    program = (
        "import sys\nfrom faultmaven_cli.main import fm\n"
        "try:\n    fm(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('loaded:', sorted({{name.partition('.')[0] for name in sys.modules}} & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "investigate" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_help_costs_at_most_six_bare_interpreters() -> None:
    """Measured in processor time, the best of several interleaved runs, so that a busy machine does not decide."""

    def cost(*arguments: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    runs = [(cost("-c", "pass"), cost("-m", "faultmaven_cli.main", "--help")) for _ in range(7)]
    assert min(told for _, told in runs) <= 6 * min(bare for bare, _ in runs)


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))


def test_every_command_explains_itself_and_its_options() -> None:
    """`--help` works everywhere, and no command is without a sentence."""
    seen = dict(_commands(fm))
    assert {path[0] for path in seen if path} == set(COMMANDS)
    for path, command in seen.items():
        assert (command.help or "").strip(), path
        text = command.get_help(click.Context(command, info_name="fm " + " ".join(path)))
        assert "Usage:" in text
        silent = [p.name for p in command.params if isinstance(p, click.Option) and not (p.hidden or p.help)]
        assert silent == [], path


def test_every_command_with_a_result_offers_json() -> None:
    """Programs need no parser for tables. Groups, scripts and texts for people have none."""
    plain = {("collect", "host"), ("collect", "k8s"), ("completion",), ("redact",), ("serve",), ("worker",)}
    for path, command in _commands(fm):
        if not isinstance(command, click.Group) and path not in plain:
            assert any("--json" in parameter.opts for parameter in command.params), path


def _tree(kind: type[errors.FaultMavenError]) -> Iterator[type[errors.FaultMavenError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def test_every_error_has_an_exit_code() -> None:
    """One table; a new class without a row fails here and not on somebody's terminal. Errors of ports refine a row."""
    for kind in _tree(errors.FaultMavenError):
        if kind.__module__ == errors.__name__:
            assert kind in EXIT_CODES, kind
        elif kind.__module__.startswith("faultmaven"):
            assert exit_code(kind) == EXIT_CODES[kind.__bases__[0]], kind


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (errors.InvalidInputError("No."), 2),
        (errors.PermissionDeniedError("No."), 3),
        (errors.NotFoundError("No."), 4),
        (errors.StaleVersionError("No."), 5),
        (errors.UnsupportedError("presigning"), 69),
        (errors.CorruptDataError("No."), 70),
        (errors.RateLimitedError("No.", retry_after=1), 75),
        (errors.MisconfiguredError("No."), 78),
        (ModuleNotFoundError("No module named 'argon2'", name="argon2"), 78),
        (KeyboardInterrupt(), 130),
        (ValueError("surprise"), 70),
    ],
)
def test_failure_is_one_sentence_and_its_code(
    failure: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scripts act on the code, people on the sentence; nobody gets a traceback."""
    assert report_failure(failure, []) == code
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Traceback" not in told


def test_failure_is_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads JSON gets its errors as JSON."""
    assert report_failure(errors.NotFoundError("There is no case x."), ["case", "show", "x", "--json"]) == 4
    told = json.loads(capsys.readouterr().err)
    assert told == {"error": "not_found", "message": "There is no case x.", "exit_code": 4}


def test_wrong_usage_names_the_help() -> None:
    """Exit code 2, a sentence, and where to read on."""
    done = _fm("investigat")
    assert done.returncode == 2
    assert done.stderr == "error: No such command 'investigat'. See `fm --help`.\n"


def test_reader_that_goes_away_ends_the_program_quietly() -> None:
    """`fm … | head -1` prints one line and no complaint."""
    done = subprocess.run(
        f"{sys.executable} -m faultmaven_cli.main collect k8s --print | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "#!/bin/sh\n"
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_completes_fm(shell: str) -> None:
    """The printed script asks fm itself; what it answers are our commands."""
    done = _fm("completion", shell)
    assert done.returncode == 0, done.stderr
    assert "_FM_COMPLETE" in done.stdout
    at = "inv" if shell == "fish" else "1"  # fish hands over the word itself, the others its place
    words = {"COMP_WORDS": "fm inv", "COMP_CWORD": at, "_FM_COMPLETE": f"{shell}_complete"}
    assert "investigate" in _fm(environ=words).stdout


def test_version_names_product_python_and_schema() -> None:
    """What a bug report needs."""
    told = json.loads(_fm("version", "--json").stdout)
    assert told["record"] == "rca-record/1"
    assert told["python"].startswith("3.")
    assert told["faultmaven"] in _fm("version").stdout


def test_no_color_is_honoured_and_pipes_get_no_colours(tmp_path: Path) -> None:
    """No escape sequence reaches a file."""
    done = _fm("--help", environ={"FORCE_COLOR": "", "NO_COLOR": "1"})
    assert "\x1b" not in done.stdout

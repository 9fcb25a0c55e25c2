"""Every failure as one sentence and one exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence

import click

from faultmaven_cli.output import printable
from faultmaven_core.shared import errors

EXIT_CODES: dict[type[errors.FaultMavenError], int] = {
    errors.FaultMavenError: 70,
    errors.InvalidInputError: 2,
    errors.UnsupportedTypeError: 2,
    errors.TooLargeError: 2,
    errors.UnauthenticatedError: 3,
    errors.PermissionDeniedError: 3,
    errors.NotFoundError: 4,
    errors.ConflictError: 5,
    errors.AlreadyExistsError: 5,
    errors.StaleVersionError: 5,
    errors.PreconditionFailedError: 5,
    errors.UnsupportedError: 69,
    errors.BackendError: 70,
    errors.AmbiguousError: 70,
    errors.CorruptDataError: 70,
    errors.BackendUnavailableError: 75,
    errors.BackendRefusedError: 75,
    errors.DeadlineExceededError: 75,
    errors.QuotaExceededError: 75,
    errors.RateLimitedError: 75,
    errors.MisconfiguredError: 78,
}
"""Error class to exit code, after sysexits.h where it has a code. A test walks the tree and fails on a missing row."""

USAGE, UNEXPECTED, INTERRUPTED, BROKEN_PIPE = 2, 70, 130, 141


def report_failure(failure: BaseException, arguments: Sequence[str]) -> int:
    """Print what went wrong to stderr, as JSON where the caller asked for `--json`, and return the exit code."""
    if isinstance(failure, click.exceptions.Exit):
        return failure.exit_code
    if isinstance(failure, SystemExit):
        return failure.code if isinstance(failure.code, int) else UNEXPECTED
    if isinstance(failure, BrokenPipeError):
        # The reader of our output has gone (`fm … | head`); stdout must not be flushed at exit once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    code, name, message = _told(failure)
    if isinstance(failure, click.UsageError) and failure.ctx is not None:
        message += f" See `{failure.ctx.command_path} --help`."
    if "--debug" in arguments:
        traceback.print_exception(failure)
    if "--json" in arguments:
        click.echo(json.dumps({"error": name, "message": message, "exit_code": code}), err=True)
    else:
        click.echo("error: " + "\n".join(map(printable, message.splitlines())), err=True)
    return code


def exit_code(kind: type[errors.FaultMavenError]) -> int:
    """The code of a class; errors of a port have that of the class which they refine."""
    return next(EXIT_CODES[parent] for parent in kind.__mro__ if parent in EXIT_CODES)


def exit_code_of(code: str) -> int:
    """The exit code of an error that is known by its code only."""
    return next((number for kind, number in EXIT_CODES.items() if kind.code == code), UNEXPECTED)


def _told(failure: BaseException) -> tuple[int, str, str]:
    if isinstance(failure, errors.FaultMavenError):
        return exit_code(type(failure)), failure.code, str(failure)
    if isinstance(failure, click.exceptions.Abort | KeyboardInterrupt):
        return INTERRUPTED, "interrupted", "Interrupted."
    if isinstance(failure, click.ClickException):
        return USAGE, "usage", failure.format_message()
    if isinstance(failure, OSError) and failure.filename is not None:
        reason = (failure.strerror or "unknown reason").lower()
        return UNEXPECTED, "os", f"{failure.filename}: {reason}; check that the path exists and that you may use it."
    if isinstance(failure, ModuleNotFoundError) and failure.name and not failure.name.startswith("faultmaven"):
        library = failure.name.partition(".")[0]
        sentence = f"This needs the library {library}, which is not installed: pip install 'faultmaven[all]'."
        return EXIT_CODES[errors.MisconfiguredError], errors.MisconfiguredError.code, sentence
    message = f"FaultMaven failed unexpectedly ({type(failure).__name__}: {failure})."
    return UNEXPECTED, "unexpected", f"{message} Run it again as `fm --debug …` and report what it prints."

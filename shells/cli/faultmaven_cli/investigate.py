"""`fm investigate`: from paths to the first screen."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--question", default="", help="What you want to know.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print the record.")
def investigate(paths: tuple[Path, ...], question: str, form: str) -> None:
    """Find the root cause in files and folders of evidence."""
    import msgspec

    from faultmaven_adapters.scanning.re2 import Re2PatternScanner
    from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
    from faultmaven_core.analysis.analyse import analyse
    from faultmaven_core.analysis.diagnose.conclude import Request
    from faultmaven_core.analysis.extract.tools import Tools
    from faultmaven_core.analysis.signals.signatures import SignatureScan

    files = {
        str(f): f.read_bytes() for p in paths for f in (sorted(p.rglob("*")) if p.is_dir() else [p]) if f.is_file()
    }
    tools = Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))
    record = analyse(files, Request("case_000000000000", question, "0.1.0"), tools)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
        return
    from faultmaven_cli.screen import first_screen

    click.echo(first_screen(msgspec.to_builtins(record)))

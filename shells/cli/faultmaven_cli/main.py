"""The `fm` command."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def main() -> None:
    """Find the root cause in logs, metrics, manifests and alerts, each claim cited to the byte."""


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--question", default="", help="What you want to know.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print the record.")
def investigate(paths: tuple[Path, ...], question: str, form: str) -> None:
    """Find the root cause in files and folders of evidence."""
    import msgspec  # noqa: PLC0415 - heavy imports wait until a command needs them

    from faultmaven_adapters.scanning.re2 import Re2PatternScanner  # noqa: PLC0415
    from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText  # noqa: PLC0415
    from faultmaven_core.analysis.analyse import analyse  # noqa: PLC0415
    from faultmaven_core.analysis.diagnose.conclude import Request  # noqa: PLC0415
    from faultmaven_core.analysis.extract.tools import Tools  # noqa: PLC0415
    from faultmaven_core.analysis.signals.signatures import SignatureScan  # noqa: PLC0415

    files = {
        str(f): f.read_bytes() for p in paths for f in (sorted(p.rglob("*")) if p.is_dir() else [p]) if f.is_file()
    }
    tools = Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))
    record = analyse(files, Request("case_000000000000", question, "0.1.0"), tools)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
        return
    click.echo(f"{record.verdict.upper()}" + (f" ({record.root_cause.confidence:.0%})" if record.root_cause else ""))
    if record.root_cause:
        click.echo(record.root_cause.statement)
        proof = {claim.id: claim for claim in record.claims}
        for name in record.hypotheses[0].claims:
            cited = proof[name].citations[0]
            click.echo(f"  {cited.file}:{cited.lines[0]}  {proof[name].text}")
        click.echo(f"confirm: {record.root_cause.confirm.command}")
        click.echo(f"refute:  {record.root_cause.refute.expect}")


if __name__ == "__main__":
    main()

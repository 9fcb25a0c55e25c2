"""Runs the commands that the documents show, and compares, or with --write renews, the output shown below them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "examples/README.md", *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md"))))
BLOCK = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
PROGRAM = re.compile(r"```python\n(.*?)```\n", re.DOTALL)


def output_of(command: str, home: str) -> str:
    """What a person sees who types the command in the root of the repository."""
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": home,
        "FM_HOME": home,
        "LANG": "C.UTF-8",
        "COLUMNS": "110",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"`{command}` ends with {done.returncode}:\n{done.stdout}{done.stderr}")
    text = "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())
    return re.sub(r"\b(case|doc)_[0-9a-f]{12}\b", r"\1_0123456789ab", text)  # drawn anew for each


def as_run(block: str) -> str:
    """The block with the true output under each command that shows one."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    text = parts[0]
    with tempfile.TemporaryDirectory() as home:
        for command, shown in zip(parts[1::2], parts[2::2], strict=True):
            true = output_of(command, home)
            text += f"$ {command}\n" + (f"{true}\n" if shown or len(parts) == 3 else "")
    return text


def renewed(document: str) -> str:
    """The document with what its commands print now, and the program that it shows as it is in the examples."""
    text = (ROOT / document).read_text()
    text = BLOCK.sub(lambda m: f"```console\n{as_run(m.group(1))}```\n", text)
    if document == "README.md":
        program = (ROOT / "examples" / "embedded.py").read_text()
        text = PROGRAM.sub(lambda _: f"```python\n{program}```\n", text, count=1)
    return text


def main() -> None:
    """Renew or check all documents."""
    write = "--write" in sys.argv[1:]
    stale = []
    for document in DOCUMENTS:
        text = renewed(document)
        if text != (ROOT / document).read_text():
            stale.append(document)
            if write:
                (ROOT / document).write_text(text)
    if stale and not write:
        raise SystemExit(f"Not what the commands print: {', '.join(stale)}. `make docs` renews it.")


if __name__ == "__main__":
    main()

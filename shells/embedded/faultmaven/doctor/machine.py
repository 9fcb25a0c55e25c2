"""What this machine itself lacks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from faultmaven.tree import Settings

LITTLE = 1 << 30
"""Bytes of free space below which copies and extraction will soon fail."""


def problems(settings: Settings) -> Iterator[str]:
    """A sentence for each, with the remedy."""
    folder = settings.home
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < LITTLE:
        yield f"Only {free >> 20} MiB are free in {folder}: free some space, or set FM_HOME to another place."
    if find_spec("hyperscan") is None:
        yield "The library hyperscan is not installed, so logs are read at a tenth of the speed: pip install 'faultmaven[evidence]'."
    for name, file in (
        ("FM_S3_CA_FILE", settings.s3.ca_file),
        ("FM_CACHE_CA_FILE", settings.cache.ca_file),
        ("FM_JOBS_CA_FILE", settings.jobs.ca_file),
    ):
        if file and not Path(file).is_file():
            yield f"{name} names {file}, which is no file."

"""Which extractor reads which kind of source."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.analysis.extract.kubectl_describe import describe
from faultmaven_core.analysis.extract.log import log
from faultmaven_core.analysis.extract.tools import Extractor

EXTRACTORS: Mapping[str, Extractor] = {"kubectl_describe": describe, "log": log}

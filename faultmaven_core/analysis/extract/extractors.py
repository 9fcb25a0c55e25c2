"""Which extractor reads which kind of source."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.analysis.extract.cluster_dump import cluster_dump
from faultmaven_core.analysis.extract.kubectl_describe import describe
from faultmaven_core.analysis.extract.kubectl_get import get
from faultmaven_core.analysis.extract.kubectl_top import top
from faultmaven_core.analysis.extract.kubernetes_manifest import manifest
from faultmaven_core.analysis.extract.log import log
from faultmaven_core.analysis.extract.tools import Extractor

EXTRACTORS: Mapping[str, Extractor] = {
    "cluster_dump": cluster_dump,
    "kubectl_describe": describe,
    "kubectl_get": get,
    "kubectl_top": top,
    "kubernetes_manifest": manifest,
    "log": log,
}

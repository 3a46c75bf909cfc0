"""Global descriptors and fusion operators through pose approximation, local SfM and one map, as Humenberger et al. do.

"Investigating the Role of Image Retrieval for Visual Localization" (IJCV 2022) and the kapture paper's Table 7.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.cli.compare_retrieval import compare


def run(arguments: Sequence[str]) -> int:
    """Tables of recall, and a picture of recall against the number of retrieved images."""
    return compare("retrieval_benchmark", arguments)

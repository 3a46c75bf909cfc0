"""LaMAR as its authors' baseline: SuperPoint, NetVLAD and AP-GeM together, top 10, HoloLenses as rigs.

Where they match by SuperGlue, LightGlue does here. The kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.lamar import BENCHMARK, LamarConfig, make

from vloc.cli.recipe import Recipe, follow

RECIPE = Recipe(
    BENCHMARK,
    lambda root, source: make(root, LamarConfig(source)),
    features=(
        *("--features", "superpoint:network=original", "--matcher", "lightglue"),
        *("--retrieval", "netvlad", "apgem", "--fusion", "mean"),
    ),
    mapping=("--num-pairs", "10"),
    localization=("--num-retrieved", "10"),
    by_queries=dict.fromkeys(("query_hololens", "query_val_hololens"), ("--rig", "joint")),
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the files to submit."""
    return follow(RECIPE, "lamar_benchmark", arguments)

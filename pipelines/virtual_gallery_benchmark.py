"""Virtual Gallery as kapture's other examples: R2D2 20k, AP-GeM, top 20, config2; by light and occlusion.

`vloc run virtual_gallery` converts alone; the kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.virtual_gallery import BENCHMARK, VirtualGalleryConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import APGEM, R2D2_20K

RECIPE = Recipe(
    BENCHMARK,
    lambda root, source: make(root, VirtualGalleryConfig(source, transfer="link")),
    features=(*R2D2_20K, *APGEM),
    mapping=("--preset", "config1", "--num-pairs", "20", "--pixel-center", "0"),
    localization=("--preset", "config2", "--num-retrieved", "20"),
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to its figures."""
    return follow(RECIPE, "virtual_gallery_benchmark", arguments)

"""A gallery that recipes go through quickly."""

from __future__ import annotations

from pathlib import Path

import pytest
from vloc.datasets.synthetic_gallery import GalleryConfig, make

from tests import raw_trees_indoor
from tests.raw_trees_indoor import Rooms


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with mapping/, query/ (no poses) and query_truth.txt: 12 + 4 images of 320 x 240."""
    root = tmp_path_factory.mktemp("small")
    make(root, GalleryConfig(num_images=12, num_queries=4, image_size=(320, 240)))
    return root


@pytest.fixture(scope="session")
def rooms() -> Rooms:
    """Pictures of one camera with their depth: 9 to map, 2 to localize."""
    return raw_trees_indoor.rooms(3, 2)

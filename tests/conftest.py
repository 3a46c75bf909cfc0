"""A small synthetic gallery, made once and shared by all tests that need photos of a place."""

from importlib import import_module
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with mapping/, query/ (no poses) and query_truth.txt: 21 + 4 images of 480 x 360."""
    scene = import_module("vloc.datasets.synthetic_gallery")
    root = tmp_path_factory.mktemp("gallery")
    scene.make(root, scene.GalleryConfig(num_images=21, num_queries=4, image_size=(480, 360)))
    return root

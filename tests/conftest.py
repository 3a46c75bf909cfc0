"""Array shapes are checked at run time here; and one small synthetic gallery for all tests that need photos."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from beartype import BeartypeConf, beartype
from hypothesis import settings
from jaxtyping import config, install_import_hook

os.environ["VLOC_CHECK_SHAPES"] = "1"
CHECKED = ("geometry", "data", "features", "matching", "retrieval", "solvers", "stages")
CHECKER = ModuleType("shape_checker")
CHECKER.check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as type checkers have it
sys.modules[CHECKER.__name__] = CHECKER
settings.register_profile("no deadline", deadline=None)  # a busy machine is no bug
settings.load_profile("no deadline")
install_import_hook([f"vloc.{layer}" for layer in CHECKED], "shape_checker.check")


@pytest.fixture(autouse=True)
def _shapes_may_be_wrong(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests marked `wrong_shapes` try what vloc itself says of wrong arrays."""
    marked = request.node.get_closest_marker("wrong_shapes") is not None
    config.update("jaxtyping_disable", marked)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with mapping/, query/ (no poses) and query_truth.txt: 21 + 4 images of 480 x 360."""
    scene = import_module("vloc.datasets.synthetic_gallery")
    root = tmp_path_factory.mktemp("gallery")
    scene.make(root, scene.GalleryConfig(num_images=21, num_queries=4, image_size=(480, 360)))
    return root


@pytest.fixture(scope="session")
def built(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of the gallery, made quickly; not to be written to."""
    jobs = import_module("tests.jobs")
    folder: Path = tmp_path_factory.mktemp("built") / "map"
    assert jobs.run("map", gallery / "mapping", folder, *jobs.FAST) == 0
    return folder


@pytest.fixture(scope="session")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with drive/, drive_truth.txt and drive_odometry.txt: 5 instants of 3 cameras, one of them dark."""
    drives = import_module("tests.drives")
    root = tmp_path_factory.mktemp("drive")
    drives.synthetic_drive.drive_through(root, drives.GALLERY, drives.DRIVE)
    return root

"""A small gallery, mapped and localized once by the commands themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from vloc.datasets.synthetic_gallery import GalleryConfig, make

from vloc.cli.main import main


@dataclass(frozen=True)
class Job:
    """Where the parts of a finished job are."""

    root: Path

    @property
    def mapping(self) -> Path:
        return self.root / "gallery" / "mapping"

    @property
    def queries(self) -> Path:
        return self.root / "gallery" / "query"

    @property
    def truth(self) -> Path:
        return self.root / "gallery" / "query_truth.txt"

    @property
    def map(self) -> Path:
        return self.root / "gallery.map"

    @property
    def results(self) -> Path:
        return self.root / "poses.txt"


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A capture to map and one to localize; nothing computed yet. Treat it as read-only."""
    job = Job(tmp_path_factory.mktemp("a place, schön"))
    make(job.root / "gallery", GalleryConfig(num_images=12, num_queries=4, image_size=(320, 240)))
    return job


@pytest.fixture(scope="session")
def job(gallery: Job) -> Job:
    """The same, mapped and localized. Treat it as read-only."""
    assert main(["map", str(gallery.mapping), str(gallery.map), "--quiet"]) == 0
    assert main(["localize", str(gallery.map), str(gallery.queries), str(gallery.results), "--quiet"]) in (0, 3)
    return gallery

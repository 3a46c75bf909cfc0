"""What README and docs show is what runs."""

import re
from pathlib import Path

import pytest

import vloc

ROOT = Path(__file__).resolve().parents[1]


def test_the_python_of_the_readme_runs_as_it_stands(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snippet = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert snippet is not None
    (tmp_path / "gallery").symlink_to(gallery)
    query = vloc.read(gallery / "query")
    name = query.images.names[0]
    (tmp_path / "photo.jpg").symlink_to(gallery / "query" / "sensors" / "records_data" / name)
    monkeypatch.chdir(tmp_path)
    names = {"camera": query.camera(name)}
    exec(snippet[1], names)
    assert names["pose"].source == "pnp" and names["pose"].covariance.shape == (6, 6)


def test_the_feature_of_the_docs_maps_and_localizes(gallery: Path, tmp_path: Path) -> None:
    snippet = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "adding.md").read_text(), re.DOTALL)
    assert snippet is not None
    exec(snippet[1], {"__name__": "patches"})
    capture = vloc.read(gallery / "mapping")
    map_ = vloc.build_map(capture, tmp_path / "map", features="patches:max_keypoints=300", pair={"num_pairs": 4})
    assert len(map_.sparse.points) > 100

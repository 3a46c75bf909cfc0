"""Items of imported features: fingerprints follow the content, and what does not fit its image is named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Features, InMemory, Reconstruction
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.features.imported import ImportedFeature
from vloc.geometry.camera import Camera
from vloc.run.content import ContentHashes
from vloc.stages.images import Photos
from vloc.stages.imported import local_items

NAMES = ["a.jpg", "b.jpg"]
PLACES = {"a.jpg": np.array([[1.5, 2.5]], np.float32), "b.jpg": np.array([[60.0, 40.0]], np.float32)}
ROWS = {name: np.array([[0.6, 0.8]], np.float32) for name in NAMES}


def features(arrays: dict[str, np.ndarray], keypoints_type: str = "", metric: str = "L2") -> Features:
    first = next(iter(arrays.values()))
    return Features("x", first.dtype, first.shape[1], list(arrays), InMemory(arrays), keypoints_type, metric)


def capture(places: dict[str, np.ndarray] = PLACES, rows: dict[str, np.ndarray] = ROWS) -> Capture:
    work = Reconstruction(None, {}, {"k": features(places)}, {"d": features(rows, "k")})
    camera = Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0)))
    return Capture(
        {"cam": camera}, Records.from_rows([(i, "cam", name) for i, name in enumerate(NAMES)]), reconstruction=work
    )


@pytest.fixture
def photos_of(tmp_path) -> Callable[[Capture], Photos]:
    return lambda made: Photos(made, ContentHashes(tmp_path).get)


def test_an_item_is_the_arrays_of_its_image_under_either_type(photos_of) -> None:
    for kind in ("", "k", "d"):
        items = local_items(photos_of(capture()), NAMES, ImportedFeature(type=kind))
        keypoints, descriptors = items.load(1)
        assert np.array_equal(keypoints, PLACES["b.jpg"]) and np.array_equal(descriptors, ROWS["b.jpg"])


@pytest.mark.parametrize("changed", ["places", "rows"])
def test_the_fingerprint_is_that_of_both_arrays(photos_of, changed: str) -> None:
    arrays = {"places": PLACES, "rows": ROWS}
    arrays[changed] = {**arrays[changed], "b.jpg": arrays[changed]["b.jpg"] + 1}
    before, after = (local_items(photos_of(made), NAMES, ImportedFeature()) for made in (capture(), capture(**arrays)))
    assert before.fingerprint(0) == after.fingerprint(0) and before.fingerprint(1) != after.fingerprint(1)


def test_an_image_without_features_fails_alone_and_by_name(photos_of) -> None:
    items = local_items(photos_of(capture({"b.jpg": PLACES["b.jpg"]})), NAMES, ImportedFeature())
    assert items.fingerprint(0) == "missing" and len(items.load(1)) == 2
    with pytest.raises(DataError, match=r"a.jpg: no imported features of type 'd'; 1 images have them"):
        items.load(0)


def test_nothing_begins_where_no_image_has_features(photos_of) -> None:
    with pytest.raises(DataError, match=r"a.jpg, nor any other image: no imported features of type 'd'"):
        local_items(photos_of(capture({"c.jpg": PLACES["a.jpg"]})), NAMES, ImportedFeature())


def test_keypoints_of_an_image_of_another_size_are_refused(photos_of) -> None:
    beyond = {**PLACES, "b.jpg": np.array([[10.0, 10.0], [120.0, 80.0]], np.float32)}
    rows = {**ROWS, "b.jpg": np.repeat(ROWS["b.jpg"], 2, axis=0)}
    items = local_items(photos_of(capture(beyond, rows)), NAMES, ImportedFeature())
    with pytest.raises(DataError, match=r"b.jpg: an imported keypoint at \(120.0, 80.0\), but the image is 64 x 48"):
        items.load(1)


def test_as_many_descriptors_as_keypoints(photos_of) -> None:
    items = local_items(
        photos_of(capture(rows={**ROWS, "b.jpg": np.ones((3, 2), np.float32)})), NAMES, ImportedFeature()
    )
    with pytest.raises(DataError, match=r"b.jpg: 1 imported keypoints, but 3 descriptors"):
        items.load(1)


def test_of_several_types_one_must_be_named(photos_of) -> None:
    made = capture()
    work = made.reconstruction
    assert work is not None
    several = replace(work, descriptors={**work.descriptors, "e": features(ROWS, "k")})
    with pytest.raises(DataError, match="several types of local features; say which, imported:type=NAME: d, e"):
        local_items(photos_of(replace(made, reconstruction=several)), NAMES, ImportedFeature())


def test_binary_descriptors_are_refused(photos_of) -> None:
    made = capture()
    work = made.reconstruction
    assert work is not None
    binary = replace(work, descriptors={"orb": features(ROWS, "k", "Hamming")})
    with pytest.raises(DataError, match="'orb' are compared bit by bit"):
        local_items(photos_of(replace(made, reconstruction=binary)), NAMES, ImportedFeature())

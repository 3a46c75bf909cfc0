"""Items of imported features: fingerprints follow the content, and what does not fit its image is named."""

import re
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
from vloc.retrieval.imported import ImportedDescriptor
from vloc.run.content import ContentHashes
from vloc.stages.images import Photos
from vloc.stages.imported import content_mark, local_items, whole_items

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
    with pytest.raises(DataError, match=r"^the capture: brings several types of local features; .*: d, e$"):
        local_items(photos_of(replace(made, reconstruction=several)), NAMES, ImportedFeature())


def test_binary_descriptors_are_refused(photos_of) -> None:
    made = capture()
    work = made.reconstruction
    assert work is not None
    binary = replace(work, descriptors={"orb": features(ROWS, "k", "Hamming")})
    with pytest.raises(DataError, match="'orb' are compared bit by bit"):
        local_items(photos_of(replace(made, reconstruction=binary)), NAMES, ImportedFeature())


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("end", [0, 1])
def test_a_keypoint_may_lie_sixteen_pixels_beyond_the_border_and_no_more(photos_of, axis: int, end: int) -> None:
    place = np.array([[20.0, 20.0]], np.float32)
    place[0, axis] = [-16, (64, 48)[axis] + 16][end]
    assert local_items(photos_of(capture({**PLACES, "b.jpg": place})), NAMES, ImportedFeature()).load(1)
    place[0, axis] += [-0.25, 0.25][end]
    with pytest.raises(DataError, match="images of another size"):
        local_items(photos_of(capture({**PLACES, "b.jpg": place})), NAMES, ImportedFeature()).load(1)


def test_nobody_to_ask_for_is_no_error(photos_of) -> None:
    bare = capture({"c.jpg": PLACES["a.jpg"]})
    assert not local_items(photos_of(bare), [], ImportedFeature()).keys
    assert not whole_items(photos_of(described({"c.jpg": ROWS["a.jpg"]})), [], ImportedDescriptor()).keys


def described(rows: dict[str, np.ndarray]) -> Capture:
    """A capture with these global features."""
    made = capture()
    assert made.reconstruction is not None
    return replace(made, reconstruction=replace(made.reconstruction, global_features={"g": features(rows)}))


def test_global_features_are_items_by_image(photos_of) -> None:
    rows = {"b.jpg": np.array([[0.0, 2.0]], np.float32), "a.jpg": np.array([[1.0, 0.0]], np.float32)}
    items = whole_items(photos_of(described(rows)), NAMES, ImportedDescriptor())
    assert [row.tolist() for row in items] == [[[1, 0]], [[0, 2]]] and items.load(1).tolist() == [[0, 2]]
    other = whole_items(photos_of(described({**rows, "b.jpg": rows["b.jpg"] + 1})), NAMES, ImportedDescriptor())
    assert items.fingerprint(0) == other.fingerprint(0) and items.fingerprint(1) != other.fingerprint(1)


def test_what_has_no_features_is_named(photos_of, tmp_path) -> None:
    with pytest.raises(DataError, match=r"^the capture: brings no global features of type 'x'"):
        whole_items(photos_of(described(ROWS)), NAMES, ImportedDescriptor(type="x"))
    (tmp_path / "global_features").mkdir()
    for imported, items in ((ImportedDescriptor, whole_items), (ImportedFeature, local_items)):
        with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path))}: "):
            items(photos_of(capture()), NAMES, imported(path=str(tmp_path)))


def test_an_image_without_a_global_feature_fails_alone_and_by_name(photos_of) -> None:
    items = whole_items(photos_of(described({"b.jpg": ROWS["b.jpg"]})), NAMES, ImportedDescriptor())
    assert items.fingerprint(0) == "missing" and len(items.load(1)) == 1
    with pytest.raises(DataError, match=r"a.jpg: no imported global features of type 'g'; 1 images have them"):
        items.load(0)
    with pytest.raises(DataError, match=r"a.jpg, nor any other image: no imported global features"):
        whole_items(photos_of(described({"c.jpg": ROWS["b.jpg"]})), NAMES, ImportedDescriptor())


class Stamped:
    """An array that says whether it may have changed, and counts how often it is read."""

    def __init__(self, array: np.ndarray, mark: str) -> None:
        self.array, self.mark, self.reads = array, mark, 0

    def stamp(self, key: str) -> str:
        return self.mark

    def load(self, key: str) -> np.ndarray:
        self.reads += 1
        return self.array


def test_arrays_are_read_for_their_fingerprint_once_unless_they_may_have_changed(tmp_path) -> None:
    hashes, marks, read = ContentHashes(tmp_path), [], []
    for stamp, row in (("as it was", [1, 2]), ("as it was", [9, 9]), ("touched", [1, 2]), ("changed", [3, 4])):
        source = Stamped(np.array([row], np.float32), stamp)
        marks.append(content_mark(hashes.get, "key", source, "a.jpg"))
        read.append(source.reads)
    assert read == [1, 0, 1, 1] and marks[0] == marks[1] == marks[2] != marks[3]


def test_the_same_bytes_of_another_shape_or_type_are_another_content(tmp_path) -> None:
    arrays = [np.zeros((2, 2), np.float32), np.zeros((1, 4), np.float32), np.zeros((2, 2), np.int32)]
    marks = {content_mark(ContentHashes(tmp_path).get, str(i), InMemory({"a": a}), "a") for i, a in enumerate(arrays)}
    assert len(marks) == 3

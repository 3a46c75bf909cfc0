"""Which of the imported features are meant, by hand."""

import numpy as np
import pytest

from vloc.data.imported import Imported, completed, global_type, local_type, matched_type
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Reconstruction
from vloc.errors import DataError


def features(width: int = 128, dtype: str = "uint8", keypoints_type: str = "", metric: str = "L2") -> Features:
    return Features("any", np.dtype(dtype), width, ["a.jpg"], InMemory({}), keypoints_type, metric)


def made(keypoints: str = "", descriptors: str = "") -> Reconstruction:
    """Keypoints of these types and descriptors of these, DESCRIPTORS@KEYPOINTS."""
    described = dict(name.split("@") for name in descriptors.split())
    return Reconstruction(
        keypoints={name: features(4) for name in keypoints.split()},
        descriptors={name: features(keypoints_type=kind) for name, kind in described.items()},
    )


def chosen(keypoints: str, descriptors: str, asked: str = "") -> tuple[str, str, str]:
    """(name, keypoints, descriptors) of what is taken."""
    there = made(keypoints, descriptors)
    name, places, rows = local_type(there, Imported(type=asked), "here")
    named = (next(name for name, each in kind.items() if each is found) for kind, found in
             ((there.keypoints, places), (there.descriptors, rows)))  # fmt: skip
    return (name, *named)


def test_the_only_descriptors_are_meant_unless_told() -> None:
    assert chosen("k", "d@k") == ("d", "k", "d")
    assert chosen("k other", "d@k") == ("d", "k", "d")  # keypoints without descriptors are no choice
    assert chosen("k", "d@k lost@gone") == ("d", "k", "d")  # nor are descriptors without keypoints


def test_keypoints_name_the_descriptors_that_alone_are_theirs() -> None:
    assert chosen("k l", "d@k e@l", "l") == ("l", "l", "e")
    assert chosen("k l", "d@k e@l", "e") == ("e", "l", "e")
    with pytest.raises(DataError, match="no local features of type 'k'; there are d, e"):
        chosen("k", "d@k e@k", "k")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "here: brings several types of local features; say which, imported:type=NAME: d, e, k, l$"),
        ("sift", "here: brings no local features of type 'sift'; there are d, e, k, l$"),
    ],
)
def test_a_choice_that_is_not_made_is_told(asked: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        chosen("k l", "d@k e@l", asked)


def test_where_there_are_none_their_place_beside_the_capture_is_asked_for() -> None:
    with pytest.raises(DataError, match="brings no local features of type 'x', nor any other; imported:path=FOLDER"):
        chosen("", "", "x")
    with pytest.raises(DataError, match="here: brings no global features, nor any other"):
        global_type(Reconstruction(), Imported(), "here")
    with pytest.raises(DataError, match="here: brings no matches of type 'k', nor any other"):
        matched_type(Reconstruction(), "k", "here")


def test_global_features_and_matches_are_chosen_alike() -> None:
    one, two = features(), features()
    work = Reconstruction(global_features={"one": one, "two": two}, matches={"k": MatchedPairs([], InMemory({}))})
    assert global_type(work, Imported(type="two"), "here") == ("two", two)
    assert matched_type(work, "", "here") == ("k", work.matches["k"])
    with pytest.raises(DataError, match=r"several types of global features; .*: one, two"):
        global_type(work, Imported(), "here")


def test_what_is_found_is_filled_in() -> None:
    assert completed(Imported(path="p"), "sift", features()) == Imported("sift", "p", 128, "uint8")


@pytest.mark.parametrize("wanted", [Imported(), Imported(dims=128), Imported(dtype="int8"), Imported(dtype="uint8")])
def test_bytes_are_bytes(wanted: Imported) -> None:
    assert completed(wanted, "sift", features()).dtype == "uint8"


@pytest.mark.parametrize("dtype", ["float16", "float64", "float32"])
def test_floating_point_numbers_of_any_size_fit_each_other(dtype: str) -> None:
    assert completed(Imported(dtype=dtype), "r2d2", features(dtype="float32")).dtype == "float32"


@pytest.mark.parametrize("wanted", [Imported(dims=64), Imported(dtype="float32"), Imported(dims=64, dtype="float32")])
def test_another_extractors_output_is_refused(wanted: Imported) -> None:
    expected = f"128 uint8 each, expected {wanted.dims or 128} {wanted.dtype or 'uint8'}: map and queries"
    with pytest.raises(DataError, match=expected):
        completed(wanted, "sift", features())


def test_binary_descriptors_are_refused() -> None:
    with pytest.raises(DataError, match="'orb' are compared bit by bit"):
        completed(Imported(), "orb", features(metric="Hamming"))

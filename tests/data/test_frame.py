"""The frame of a map: its unit, and a round trip through a manifest's JSON."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.frame import Frame, Placement
from vloc.errors import DataError
from vloc.geometry.alignment import Similarity


def test_given_poses_are_metres_and_a_reconstruction_of_its_own_is_not() -> None:
    assert Frame.of_reconstruction(posed=True).unit == "m"
    own = Frame.of_reconstruction(posed=False)
    assert (own.unit, own.metric, own.source, own.similarity.is_identity) == ("map units", False, "arbitrary", True)


def test_a_frame_is_chosen_where_a_reconstruction_was_moved_into_metres() -> None:
    moved = Placement.of(Similarity.identity())
    assert Frame(True, "gnss", placement=moved).is_chosen
    assert not Frame(True, "given poses").is_chosen and not Frame(False, "arbitrary").is_chosen
    assert not Frame(False, "arbitrary", placement=moved).is_chosen  # moved to where an older map was


def test_a_placement_without_size_is_none() -> None:
    flat = {**Frame(True, "gnss", placement=Placement.of(Similarity.identity())).to_json()}
    flat["placement"] = {**flat["placement"], "scale": 0}
    with pytest.raises(DataError, match="scale"):
        Frame.from_json(flat, "map.json")


def test_a_frame_reads_back_to_the_last_bit() -> None:
    turned = Similarity(1 / 3, Rotation.from_rotvec([0.1, 0.2, 0.3]).as_matrix(), np.array([1e-17, 2 / 3, 1e9]))
    frame = Frame(True, "gnss", "18 of 20", origin=(48.1, 2.3, 100.0), placement=Placement.of(turned))
    back = Frame.from_json(json.loads(json.dumps(frame.to_json())), "map.json")
    assert back == frame
    assert np.array_equal(back.similarity.rotation, turned.rotation) and back.similarity.scale == turned.scale


@pytest.mark.parametrize("wrong", [{"metric": "yes", "source": "gnss"}, {"metric": True, "source": "moon"}, {}])
def test_a_frame_that_is_none_is_refused_with_its_place(wrong: dict) -> None:
    with pytest.raises(DataError, match=r"map\.json: frame: "):
        Frame.from_json(wrong, "map.json")

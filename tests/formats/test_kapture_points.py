"""points3d.txt, observations.txt and the arrays beside them: what is written reads back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Observations, Points, Reconstruction
from vloc.data.records import Records
from vloc.formats.access import read, write
from vloc.geometry.camera import Camera

NAMES = ["0/ü a.jpg", "1/b.jpg"]
ROWS = 5
COORDINATES = st.floats(-1e6, 1e6)


@st.composite
def reconstructions(draw: st.DrawFn) -> Reconstruction:
    """Points that two images of five keypoints see, matched by some rows."""
    xyz = np.array(draw(st.lists(st.tuples(COORDINATES, COORDINATES, COORDINATES), min_size=1, max_size=6)))
    colours = st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=len(xyz), max_size=len(xyz))
    rgb = np.array(draw(colours), np.uint8) if draw(st.booleans()) else None
    seen = draw(
        st.lists(
            st.tuples(st.integers(0, len(xyz) - 1), st.integers(0, 1), st.integers(0, ROWS - 1)),
            unique_by=lambda row: row[1:],
            max_size=8,
        )
    )
    columns = np.array(sorted(seen), np.int32).reshape(-1, 3).T
    pixels = {name: np.arange(ROWS * 2, dtype=np.float32).reshape(ROWS, 2) + i for i, name in enumerate(NAMES)}
    matches = np.array(draw(st.lists(st.tuples(*[st.integers(0, ROWS - 1)] * 2), max_size=4)), np.float64)
    scored = np.column_stack([matches.reshape(-1, 2), np.full(len(matches), 0.5)])
    pair = (NAMES[0], NAMES[1])
    return Reconstruction(
        Points(xyz, rgb),
        {"sift": Observations(*columns)} if seen else {},
        {"sift": Features("sift", np.dtype(np.float32), 2, NAMES, InMemory(pixels))},
        matches={"sift": MatchedPairs([pair], InMemory({pair: scored}))},
    )


@given(reconstructions(), st.booleans())
def test_points_observations_and_matches_read_back(tmp_path_factory, work, pack):
    camera = Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 9, 9, (9.0, 4.5, 4.5)))
    records = Records.from_rows([(time, "cam", name) for time, name in enumerate(NAMES)])
    path = tmp_path_factory.mktemp("w") / "out"
    write(Capture({"cam": camera}, records, reconstruction=work), f"kapture:{path}", transfer="skip", pack=pack)
    back = read(path).reconstruction
    np.testing.assert_array_equal(back.points.xyz, work.points.xyz)
    assert (back.points.rgb is None) == (work.points.rgb is None)
    assert work.points.rgb is None or np.array_equal(back.points.rgb, work.points.rgb)
    assert set(back.observations) == set(work.observations)
    for kind, seen in work.observations.items():
        for column in ("points", "images", "keypoints"):
            assert np.array_equal(getattr(back.observations[kind], column), getattr(seen, column))
    for name in NAMES:
        assert np.array_equal(back.keypoints["sift"].load(name), work.keypoints["sift"].load(name))
    pair = (NAMES[0], NAMES[1])
    assert np.array_equal(back.matches["sift"].load(pair), work.matches["sift"].load(pair))

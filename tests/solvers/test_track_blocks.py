"""Tracks cut into blocks, and the blocks' maps as one."""

from dataclasses import replace

import numpy as np
from world import walk

from vloc.data.track_blocks import TrackBlocks
from vloc.solvers.track_blocks import block_of, in_blocks, join
from vloc.solvers.track_points import TriangulationConfig
from vloc.solvers.tracks import UNMATCHED, connected
from vloc.solvers.triangulation import make_points, settle_points, triangulate

EXACT = TriangulationConfig(pose_error_px=0)


def cut(world, block_of_image):
    counts = np.array([len(own) for own in world.keypoints])
    pairs = ((*pair, rows) for pair, rows in world.matches.items())
    found = connected(counts, world.images.cam_from_world.center, pairs)
    names = [f"block {row}" for row in range(max(block_of_image) + 1)]
    return found, in_blocks(found, counts, names, np.array(block_of_image))


def blocks_of(world, blocks):
    for row in range(len(blocks.names)):
        rows = blocks.rows_of(row)
        places = zip(blocks.images[rows], blocks.keypoints[rows], strict=True)
        yield block_of(blocks, row, world.images, np.array([world.keypoints[i][k] for i, k in places], np.float64))


def test_every_matched_keypoint_is_in_one_block_that_of_the_first_image_of_its_track():
    world = walk(count=6)
    found, blocks = cut(world, [0, 0, 1, 1, 2, 2])
    starts = np.concatenate([[0], np.cumsum(blocks.counts)])
    rows = starts[blocks.images] + blocks.keypoints
    assert np.array_equal(np.sort(rows), np.flatnonzero(found.root != UNMATCHED))
    first = np.searchsorted(starts, found.root[rows], side="right") - 1
    assert np.array_equal(first // 2, np.repeat(np.arange(len(blocks.names)), np.diff(blocks.starts)))


def test_points_of_blocks_are_those_of_the_whole():
    world = walk(count=8, noise=0.5)
    whole = triangulate(world.images, world.keypoints, world.matches, EXACT)
    _, blocks = cut(world, [0, 0, 0, 1, 1, 1, 2, 2])
    made = [(make_points(block, EXACT), block) for block in blocks_of(world, blocks)]
    parts = join(world.images, blocks, [settle_points(part, block, np.zeros(2), EXACT) for part, block in made])
    assert len(parts.points) == len(whole.points)
    assert np.array_equal(parts.point_of_keypoint < 0, whole.point_of_keypoint < 0)
    shown = whole.point_of_keypoint >= 0
    apart = parts.points[parts.point_of_keypoint[shown]] - whole.points[whole.point_of_keypoint[shown]]
    assert np.abs(apart).max() < 1e-9


def test_a_block_holds_the_images_of_its_tracks_and_no_others():
    world = walk(count=6)
    world = replace(world, matches={pair: rows for pair, rows in world.matches.items() if 3 not in pair})
    _, blocks = cut(world, [0] * 6)
    (block,) = blocks_of(world, blocks)
    assert list(block.images.names) == [f"{i:03}.jpg" for i in (0, 1, 2, 4, 5)]
    assert [len(own) for own in block.keypoints] == np.bincount(block.tracks.image).tolist()


def test_blocks_come_back_from_their_arrays():
    world = walk(count=4)
    for _, blocks in (cut(world, [0, 0, 1, 1]), cut(replace(world, matches={}), [0, 0, 1, 1])):
        again = TrackBlocks.from_arrays(blocks.to_arrays())
        assert again.names == blocks.names
        for name, array in blocks.to_arrays().items():
            assert np.array_equal(again.to_arrays()[name], array)


def test_a_block_whose_tracks_show_no_point_has_the_arrays_of_the_others():
    world = walk(count=2)
    blind = TriangulationConfig(min_tri_angle_deg=60, pose_error_px=0)
    _, blocks = cut(world, [0, 0])
    (block,) = blocks_of(world, blocks)
    settled = [settle_points(make_points(block, config), block, np.zeros(2), config) for config in (blind, EXACT)]
    assert len(settled[0].points) == 0 < len(settled[1].points)
    assert settled[0].to_arrays().keys() == settled[1].to_arrays().keys()

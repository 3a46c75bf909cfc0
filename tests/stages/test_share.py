"""Map images that neighbours in time bring, on votes worked by hand and a made map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vloc.geometry.rigid import Rigid
from vloc.stages.share import expected_images, most_voted

from .test_expected import CAMERA, made


def test_what_the_nearest_were_given_first_has_most_votes() -> None:
    found = most_voted([np.array(images) for images in ([7, 1], [9, 4], [5, 7], [8, 7])], 2)
    # around the second: 7 and 5 once each at a distance of 1 as the first (1), 7 and 1 as the second of neighbours
    assert found[1] == [7, 5]  # 7: 1 + 1/2 + 1/4, 5: 1, 8: 1/2, 1: 1/2
    assert found[3] == [5, 9]  # 5: 1; 9 and 7: 1/2: the third and the second photo alone are near


def test_a_photo_gets_as_many_as_it_has_or_the_least() -> None:
    rows = [np.arange(6), np.arange(10, 16), np.arange(20, 26)]
    assert [len(found) for found in most_voted(rows, 2)] == [6, 6, 6]
    assert [len(found) for found in most_voted([row[:1] for row in rows], 2)] == [2, 2, 2]


def test_one_photo_has_no_neighbours() -> None:
    assert most_voted([np.array([3, 4])], 5) == [[]]


def test_images_that_show_most_of_what_is_in_view_come_first() -> None:
    sparse, _ = made()
    assert expected_images(sparse, [2], Rigid.identity(), CAMERA, 3) == [0, 1, 2]
    points = sparse.points.copy()
    points[:30] = [50.0, 0.0, 4.0]  # far out of view
    assert expected_images(replace(sparse, points=points), [0], Rigid.identity(), CAMERA, 1) == [0]
    backwards = Rigid(np.diag([-1.0, 1.0, -1.0]), np.zeros(3))
    assert expected_images(sparse, [0, 1, 2], backwards, CAMERA, 3) == []
    assert expected_images(sparse, [], Rigid.identity(), CAMERA, 3) == []

"""What is said of a reconstruction."""

import numpy as np

from vloc.data.reconstruction import Observations, Points, Reconstruction


def test_a_reconstruction_prints_as_how_much_there_is() -> None:
    rows = np.zeros(3, np.int32)
    observations = {"sift": Observations(rows, rows, rows), "r2d2": Observations(rows[:2], rows[:2], rows[:2])}
    assert repr(Reconstruction(Points(np.zeros((7, 3))), observations)) == "Reconstruction(7 points, 5 observations)"
    assert repr(Reconstruction()) == "Reconstruction(0 points, 0 observations)"

"""Many small least-squares problems at a time."""

import numpy as np

from vloc.solvers.point_steps import _solve


def test_the_systems_of_points_are_solved_as_lapack_solves_them():
    rng = np.random.default_rng(0)
    rays = rng.normal(size=(50, 6, 3)) * [[1.0, 1.0, 1e-3]]  # hardly fixed along one axis, as a distant point is
    gram, right = np.einsum("pri,prj->pij", rays, rays), rng.normal(size=(50, 3))
    assert np.allclose(_solve(gram, right), np.linalg.solve(gram, right[..., None])[..., 0], rtol=1e-8)

"""How noisy depth is, found from the disagreement of depth maps where keypoints of two images match."""

from __future__ import annotations

import numpy as np

from ..array_types import Float64

LEAST_RELATIVE = 1e-4
"""of the depth; no depth is taken as better known"""
UNKNOWN_RELATIVE = 0.01
"""of the depth; where too few matches tell"""
LEAST_MATCHES, BINS = 40, 8
"""matches that a noise is estimated from, and in how many groups by depth"""
NORMAL_MEDIAN = 0.6745
"""of |x| of a normal variable of standard deviation 1"""


def depth_noise(off: Float64[np.ndarray, "m"], depths: Float64[np.ndarray, "m"]) -> Float64[np.ndarray, "2"]:
    """Of sigma(z)^2 = s0^2 + (s2 z^2)^2: s0 (m) and s2 (1/m), from how far two depths are apart that should agree.

    The first is the noise of time of flight, the second that of triangulation (stereo, structured light), constant in
    inverse depth. A median of each of some groups by depth, so that wrong matches count little, then least squares.
    """
    from scipy.optimize import nnls

    if len(off) < LEAST_MATCHES:
        return unknown_noise(depths)
    groups = np.array_split(np.argsort(depths, kind="stable"), BINS)
    variance = np.array([(np.median(np.abs(off[rows])) / NORMAL_MEDIAN) ** 2 / 2 for rows in groups])
    middle = np.array([np.median(depths[rows]) for rows in groups])
    unit = 1 / np.maximum(variance, (LEAST_RELATIVE * middle) ** 2)
    found: Float64[np.ndarray, "2"] = np.sqrt(nnls(np.stack([unit, middle**4 * unit], axis=1), variance * unit)[0])
    return found


def unknown_noise(depths: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "2"]:
    """What is taken for `depth_noise` where nothing tells: a part of the usual depth, more the further away."""
    typical = float(np.median(depths)) if len(depths) else 1.0
    return np.array([0.0, UNKNOWN_RELATIVE / typical])


def sigmas_of(noise: Float64[np.ndarray, "2"], depths: Float64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    """The standard deviation (m) of depths, by what `depth_noise` found."""
    sigmas: Float64[np.ndarray, "n"] = np.maximum(np.hypot(noise[0], noise[1] * depths**2), LEAST_RELATIVE * depths)
    return sigmas

"""Few points that show every image as well as so many can: a weighted cover of images by points.

Li et al., Location recognition using prioritized feature matching (ECCV 2010), take the point that most images lack of
which none has K yet (the greedy K-cover); Cao and Snavely, Minimal scene descriptions from structure from motion models
(CVPR 2014), weigh points by how likely they are found again. Here the limit K is soft: an image with points of weight c
is worth log(1 + c), so that one order of the points serves every number of them, and each of its beginnings is within
1 - 1/e of the best choice of that size (Nemhauser et al. 1978), as far as points of one batch do not double each other.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Float64, Int32, Int64

BATCH = 0.02
"""of the points that are chosen already, chosen at a time before gains are counted anew"""


def cover_order(
    groups: Int32[np.ndarray, "o"],
    starts: Int64[np.ndarray, "p_plus_1"],
    weights: Float64[np.ndarray, "p"],
    num_groups: int,
) -> Int64[np.ndarray, "p"]:
    """The items, those first that add most to the groups they are in; `groups[starts[p]:starts[p + 1]]` are item p's.

    Of equal ones the first. Time grows with the memberships and the logarithm of the items.
    """
    item = np.repeat(np.arange(len(weights)), np.diff(starts))
    covered, left, order = np.zeros(num_groups), np.arange(len(weights)), [np.zeros(0, np.int64)]
    chosen = 0
    while len(left):
        gains = np.bincount(item, np.log1p(weights[item] / (1 + covered[groups])), len(weights))[left]
        count = min(1 + int(BATCH * chosen), len(left))
        best = np.argpartition(-gains, count - 1)[:count] if count < len(left) else np.arange(len(left))
        best = best[np.lexsort((left[best], -gains[best]))]
        order.append(left[best])
        taken = np.zeros(len(weights), bool)
        taken[left[best]] = True
        is_new = taken[item]
        covered += np.bincount(groups[is_new], weights[item[is_new]], num_groups)
        groups, item = groups[~is_new], item[~is_new]
        left, chosen = np.delete(left, best), chosen + count
    return np.concatenate(order)

"""Array annotations with shapes, `Float32[np.ndarray, "n 2"]`, checked only where jaxtyping is wanted (the tests).

One alphabet everywhere: n keypoints, m matches, p points, d dims, q queries, r references, i images.
Importing jaxtyping costs a tenth of a second, so a plain run gets stand-ins that mean the bare array type.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING or os.environ.get("VLOC_CHECK_SHAPES"):
    from jaxtyping import Bool, Float, Float32, Float64, Int, Int8, Int32, Int64, Shaped, UInt8, UInt32
else:

    class _Unchecked:
        def __class_getitem__(cls, item: tuple[type, str]) -> type:
            return item[0]

    Bool = Float = Float32 = Float64 = Int = Int8 = Int32 = Int64 = Shaped = UInt8 = UInt32 = _Unchecked

__all__ = ["Bool", "Float", "Float32", "Float64", "Int", "Int8", "Int32", "Int64", "Shaped", "UInt8", "UInt32"]

"""What becomes of another program's global features."""

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.retrieval import DESCRIPTORS
from vloc.retrieval.imported import unit
from vloc.runtime import Runtime


def test_a_row_of_any_type_becomes_a_unit_vector() -> None:
    describe = DESCRIPTORS.parse("imported").load(Runtime(), {})
    for dtype in (np.float16, np.float64, np.uint8):
        vector = describe(np.array([[3, 4]], dtype)).vector
        assert vector.dtype == np.float32 and np.array_equal(vector, np.array([0.6, 0.8], np.float32))


def test_zeros_stay_zeros_and_numbers_must_be_finite() -> None:
    assert not unit(np.zeros((1, 3), np.float32)).any()
    with pytest.raises(DataError, match="not finite"):
        unit(np.array([[1.0, np.inf]]))

"""One file a matcher."""

from . import epipolar_bands as epipolar_bands
from . import imported as imported
from . import nearest_neighbour as nearest_neighbour
from .base import MATCHERS as MATCHERS

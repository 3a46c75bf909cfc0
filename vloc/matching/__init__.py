"""One file a matcher."""

from . import nearest_neighbour as nearest_neighbour
from .base import MATCHERS as MATCHERS

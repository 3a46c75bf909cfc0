"""One file a local feature; heavy imports only inside `load()`."""

from . import colmap_sift as colmap_sift
from . import sift as sift
from .base import FEATURES as FEATURES

"""One file a local feature; heavy imports only inside `load()`."""

from . import aliked as aliked
from . import colmap_sift as colmap_sift
from . import imported as imported
from . import r2d2 as r2d2
from . import sift as sift
from .base import FEATURES as FEATURES

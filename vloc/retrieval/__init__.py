"""One file a kind of global descriptor, imported when it is asked for; fusion of their similarities."""

from .base import DESCRIPTORS as DESCRIPTORS
from .fusion import FUSIONS as FUSIONS

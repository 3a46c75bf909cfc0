"""One file a global descriptor; fusion of their similarities."""

from . import aggregated as aggregated
from . import apgem as apgem
from . import cosplace as cosplace
from . import delg as delg
from . import densevlad as densevlad
from . import imported as imported
from . import megaloc as megaloc
from . import netvlad as netvlad
from . import pooled as pooled
from .base import DESCRIPTORS as DESCRIPTORS
from .fusion import FUSIONS as FUSIONS

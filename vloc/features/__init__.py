"""One file a local feature, imported when it is asked for; heavy imports only inside `load()`."""

from .base import FEATURES as FEATURES

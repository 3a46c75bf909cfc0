"""One file a matcher, imported when it is asked for; heavy imports only inside `load()`."""

from .base import MATCHERS as MATCHERS

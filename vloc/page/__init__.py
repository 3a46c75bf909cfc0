"""A localization as one HTML file with pictures: retrieved images, matches, and the place seen from above."""

from .document import About, write

__all__ = ["About", "write"]

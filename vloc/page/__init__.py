"""A localization as one HTML file with pictures: retrieved images, matches, and the place seen from above."""

from .document import PAGE, About, Run, is_page, write

__all__ = ["PAGE", "About", "Run", "is_page", "write"]

"""Absolute pose, two views, triangulation, SfM: every foreign convention ends here."""

"""The steps: pure functions from values to values."""

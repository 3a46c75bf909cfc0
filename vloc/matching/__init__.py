"""One file a matcher."""

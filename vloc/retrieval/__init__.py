"""One file a global descriptor; fusion of their similarities."""

"""Plain torch modules, one file an architecture; what loads them imports torch first."""

"""One published benchmark, or scene we make ourselves, a module: how it becomes kapture folders."""

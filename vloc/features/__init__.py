"""One file a local feature; heavy imports only inside `load()`."""

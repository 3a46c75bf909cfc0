"""One file a format: kapture, COLMAP, image folders and lists, benchmark result files."""

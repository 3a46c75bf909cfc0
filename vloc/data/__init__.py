"""The values that stages take and give: immutable, columns rather than objects; no paths, no torch, no pycolmap."""

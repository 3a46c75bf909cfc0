"""File formats: everything that knows a path, one file a format; each says what it keeps and what it loses."""

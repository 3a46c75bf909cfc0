"""Workspace, stores, shards: where results live. Knows no stage and no model."""

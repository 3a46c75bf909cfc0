"""Rigid transforms, cameras, alignment and pose errors: numpy and scipy only; no files, no names."""

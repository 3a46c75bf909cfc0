"""Recipes: choices, never algorithms."""

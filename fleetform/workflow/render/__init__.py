"""Rendering an environment."""

"""Errors, caching, processes and Git: what every other package uses."""

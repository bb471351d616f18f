"""Moves a project to another version: merges vendored files, renders, and writes everything in one go."""

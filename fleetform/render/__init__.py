"""Rendering: the text of every file of an environment's stacks, and writing it."""

"""Rendering: an environment becomes the text of its stacks' files, and these are written."""

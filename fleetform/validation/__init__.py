"""A catalog validated: its files loaded, and every problem reported at once."""

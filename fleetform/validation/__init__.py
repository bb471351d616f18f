"""Load and validate a catalog, and report every problem at once."""

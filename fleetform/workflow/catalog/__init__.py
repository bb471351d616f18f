"""Changing and explaining a catalog."""

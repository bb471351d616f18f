"""Building, pushing and deleting images."""

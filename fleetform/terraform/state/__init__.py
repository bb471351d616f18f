"""States: their bucket, their content and their locks."""

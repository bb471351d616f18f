"""Find what an interrupted apply has left behind."""

"""What an interrupted apply leaves, found again."""

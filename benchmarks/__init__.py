"""What speed is measured with: scripts, each run by its path."""

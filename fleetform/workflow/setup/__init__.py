"""Creates a project: its answers, its files, and the folder that they are written to."""

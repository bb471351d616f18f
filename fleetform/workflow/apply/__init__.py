"""Plans and applies the stacks of an environment."""

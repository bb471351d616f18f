"""Planning and applying the stacks of an environment."""

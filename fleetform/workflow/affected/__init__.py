"""Which stacks a change affects."""

"""Functions of tasks: each turns what its flags say into one call."""

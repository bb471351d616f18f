"""The tasks as a person meets them: each function does one, prints what came of it, and raises what went wrong."""

"""The tasks as a person meets them.

Each function does one, prints what came of it, and raises what went wrong.
"""

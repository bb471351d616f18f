"""The library's parts composed into what a person asks for.

Each function is one of them, and prints nothing.
"""

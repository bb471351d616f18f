"""Smoke tests: test every edge of the call graph from inside its caller, declared or not."""

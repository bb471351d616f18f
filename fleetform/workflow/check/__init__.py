"""Checking what is rendered against the policy."""

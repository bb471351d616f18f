"""Definitions of pipelines."""

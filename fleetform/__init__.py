"""Many small services on AWS ECS with plain, reviewable Terraform: the call graph is the source."""

__version__ = "0.1.0"
"""The version; pyproject.toml reads it here.

A project that has a copy of this package has no other place for it.
"""

"""Many small services on AWS ECS with plain, reviewable Terraform: the call graph is the source."""

__version__ = "0.2.0"
"""The version; pyproject.toml reads it here."""

"""Terraform states in S3: their bucket, their content and their locks."""

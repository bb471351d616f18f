"""Driving Terraform: the binary, its configuration, argument vectors, the state bucket."""
